internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatSQLite

/// The conversations of a profile, and the numbers of new rows: this node is the only one who writes them.
@LoopActor final class Conversations {
  let store: ProfileStore
  private var byAccount: [Account: Conversation] = [:]
  private var lastConversation: Int64
  private var lastCorrespondence: Int64
  private var lastMessage: Int64

  init(_ store: ProfileStore) async throws(NodeError) {
    self.store = store
    let last = try await store.lastRows()
    (lastConversation, lastCorrespondence, lastMessage) = (
      last.conversation, last.correspondence, last.message
    )
    let rows = try await store.conversations()
    let waiting = try await store.waiting(
      Dictionary(rows.map { ($0.id, $0.key) }, uniquingKeysWith: { first, _ in first }))
    for row in rows {
      byAccount[row.account] = Conversation(
        row: row.id, account: row.account, key: row.key, settings: row.settings,
        waiting: waiting[row.id, default: []], directory: self)
    }
  }

  var all: [Conversation] { Array(byAccount.values) }

  subscript(account: Account) -> Conversation? { byAccount[account] }

  /// The conversation with an account, made where there is none yet.
  func open(_ account: Account) async throws(NodeError) -> Conversation {
    if let known = byAccount[account] { return known }
    lastConversation += 1
    let fresh = Conversation(
      row: lastConversation, account: account, key: ConversationKey(), settings: ConversationSettings(),
      waiting: [], directory: self)
    // Known from here on: who comes meanwhile finds it, and the database has it before anything of theirs.
    byAccount[account] = fresh
    do throws(NodeError) {
      try await store.insert(fresh)
      return fresh
    } catch {
      byAccount[account] = nil
      throw error
    }
  }

  func newCorrespondenceRow() -> Int64 {
    lastCorrespondence += 1
    return lastCorrespondence
  }

  func newMessageRow() -> Int64 {
    lastMessage += 1
    return lastMessage
  }
}

extension ProfileStore {
  /// Durable when it returns.
  @LoopActor fileprivate func insert(_ conversation: Conversation) async throws(NodeError) {
    let id = conversation.row
    let exported = conversation.key.exported
    let key = seal(exported.bytes, "conversations.key", id)
    let body = body(of: conversation)
    try await write { (database) throws(SQLiteError) in
      try database.run("INSERT INTO conversations (id, key, body) VALUES (?, ?, ?)", id, key, body)
    }
  }

  /// Keeps the settings of a conversation. Durable when it returns.
  @LoopActor func save(_ conversation: Conversation) async throws(NodeError) {
    let (id, body) = (conversation.row, body(of: conversation))
    try await write { (database) throws(SQLiteError) in
      try database.run("UPDATE conversations SET body = ? WHERE id = ?", body, id)
    }
  }

  @LoopActor private func body(of conversation: Conversation) -> [UInt8] {
    var writer = WireWriter()
    conversation.account.encode(into: &writer)
    conversation.settings.encode(into: &writer)
    return seal(writer.bytes, "conversations", conversation.row)
  }
}
