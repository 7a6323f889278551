internal import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite

/// Conversations, messages and prekeys in the profile's database. What stands beside the sealed bodies tells how many
/// messages there are, in which order, in which of how many conversations, and what became of them; not whose they are.
extension ProfileStore {
  static func createMessages(_ database: Database) throws(SQLiteError) {
    try database.run(
      "CREATE TABLE conversations (id INTEGER PRIMARY KEY, key BLOB NOT NULL, body BLOB NOT NULL) STRICT")
    // The version, which no two changes share, lets a change stand only on the state that it was made from.
    try database.run(
      """
      CREATE TABLE correspondences (
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations (id),
        version INTEGER NOT NULL, body BLOB NOT NULL
      ) STRICT
      """)
    // A message that was deleted leaves its row without a body, so that it is known when it comes again.
    try database.run(
      """
      CREATE TABLE messages (
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations (id),
        message BLOB NOT NULL CHECK (length(message) = 16), state INTEGER NOT NULL,
        expires INTEGER, body BLOB
      ) STRICT
      """)
    // Each side chooses the ids of its own: a message may have that of one that it answers.
    try database.run("CREATE UNIQUE INDEX messages_known ON messages (conversation, message, state >= 11)")
    try database.run("CREATE INDEX messages_ordered ON messages (conversation, id)")
    try database.run("CREATE INDEX messages_waiting ON messages (id) WHERE state IN (11, 12)")
    try database.run("CREATE INDEX messages_expiring ON messages (expires) WHERE expires IS NOT NULL")
    try database.run("CREATE TABLE prekeys (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
  }

  // MARK: Reading

  struct ConversationRow: Sendable {
    let id: Int64
    let account: Account
    let key: ConversationKey
    let settings: ConversationSettings
  }

  func conversations() async throws(NodeError) -> [ConversationRow] {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query("SELECT id, key, body FROM conversations") { (row) throws(SQLiteError) in
        (id: try row.integer(0), key: try row.blob(1), body: try row.blob(2))
      }
    }
    var result: [ConversationRow] = []
    for row in rows {
      let key = try openSecret(row.key, "conversations.key", row.id)
      let body = try open(row.body, "conversations", row.id)
      do {
        var reader = WireReader(body.raw)
        let account = try Account(from: &reader)
        let settings = try ConversationSettings(from: &reader)
        try reader.end()
        result.append(
          ConversationRow(
            id: row.id, account: account, key: try ConversationKey(key), settings: settings))
      } catch { throw Self.damaged }
    }
    return result
  }

  struct CorrespondenceRow: Sendable {
    let id: Int64
    let version: Int64
    let party: Party
    let correspondence: Correspondence
  }

  func correspondences(of conversation: Int64) async throws(NodeError) -> [CorrespondenceRow] {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query(
        "SELECT id, version, body FROM correspondences WHERE conversation = ?", conversation
      ) { (row) throws(SQLiteError) in
        (id: try row.integer(0), version: try row.integer(1), body: try row.blob(2))
      }
    }
    var result: [CorrespondenceRow] = []
    for row in rows {
      let body = try openSecret(row.body, "correspondences", row.id)
      do throws(WireError) {
        var reader = WireReader(body.bytes)
        let party = try Party(from: &reader)
        let correspondence = try Correspondence(decoding: reader.takeRest())
        result.append(
          CorrespondenceRow(id: row.id, version: row.version, party: party, correspondence: correspondence))
      } catch { throw Self.damaged }
    }
    return result
  }

  /// Messages that wait, by conversation, in their order. One that was deleted before its ACK was written waits no more.
  func waiting(
    _ keys: [Int64: ConversationKey]
  ) async throws(NodeError) -> [Int64: [StoredMessage]] {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query(
        """
        SELECT id, conversation, state, body FROM messages WHERE state IN (11, 12) AND body IS NOT NULL
        ORDER BY id
        """
      ) { (row) throws(SQLiteError) in try MessageRow(row) }
    }
    var result: [Int64: [StoredMessage]] = [:]
    for row in rows {
      guard let key = keys[row.conversation], let message = row.open(key) else { throw Self.damaged }
      result[row.conversation, default: []].append(message)
    }
    return result
  }

  struct MessageRow: Sendable {
    let id: Int64
    let conversation: Int64
    let state: MessageState
    let body: [UInt8]

    init(_ row: borrowing Row) throws(SQLiteError) {
      id = try row.integer(0)
      conversation = try row.integer(1)
      guard let state = MessageState(rawValue: try row.integer(2)) else { throw .corrupt }
      self.state = state
      body = try row.blob(3)
    }

    func open(_ key: ConversationKey) -> StoredMessage? {
      key.open(body, row: id, isOurs: state.isOurs).map { StoredMessage(row: id, message: $0, state: state) }
    }
  }

  /// The ids of the messages of a conversation that came last.
  func recentMessages(of conversation: Int64, limit: Int) async throws(NodeError) -> [MessageID] {
    try await read { (database) throws(SQLiteError) in
      try database.query(
        "SELECT message FROM messages WHERE conversation = ? AND state < ? ORDER BY id DESC LIMIT ?",
        conversation, MessageState.queued.rawValue, limit
      ) { (row) throws(SQLiteError) in
        guard let id = MessageID(try row.blob(0)) else { throw .corrupt }
        return id
      }
    }
  }

  /// What has become of a message of ours; nil where there is none of that id.
  func state(of message: MessageID, in conversation: Int64) async throws(NodeError) -> MessageState? {
    let bytes = message.array
    return try await read { (database) throws(SQLiteError) in
      try database.first(
        "SELECT state FROM messages WHERE conversation = ? AND message = ? AND state >= 11", conversation,
        bytes
      ) { (row: borrowing Row) throws(SQLiteError) in try row.integer(0) }
    }.flatMap(MessageState.init)
  }

  /// The greatest ids in use, of conversations, correspondences and messages.
  func lastRows() async throws(NodeError) -> (conversation: Int64, correspondence: Int64, message: Int64) {
    try await read { (database) throws(SQLiteError) in
      let last = try database.first(
        """
        SELECT (SELECT coalesce(max(id), 0) FROM conversations),
          (SELECT coalesce(max(id), 0) FROM correspondences), (SELECT coalesce(max(id), 0) FROM messages)
        """
      ) { (row: borrowing Row) throws(SQLiteError) in
        (conversation: try row.integer(0), correspondence: try row.integer(1), message: try row.integer(2))
      }
      guard let last else { throw .corrupt }
      return last
    }
  }
}
