internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatSQLite

/// What one step writes: all of it or nothing. Bodies are sealed already.
struct MessageChange: Sendable {
  struct Insert: Sendable {
    let row: Int64
    let conversation: Int64
    let message: MessageID
    let state: MessageState
    /// Nil where nothing is to be shown later.
    let body: [UInt8]?
  }

  struct Correspondence: Sendable {
    let row: Int64
    let conversation: Int64
    /// The version that this one replaces; 0: there is none yet.
    let replaces: Int64
    let body: [UInt8]
  }

  var insert: Insert?
  var states: [(row: Int64, state: MessageState)] = []
  var correspondence: Correspondence?
  /// Messages of ours that a person has seen.
  var read: (conversation: Int64, messages: [MessageID])?
  /// A one-time prekey that has had its use.
  var usedPrekey: Int64?
  /// A signed prekey's row, which remembers what has been answered with it.
  var prekey: (row: Int64, body: [UInt8])?

  enum Outcome: Sendable {
    case written
    /// A message with that id was there before. The rest is written.
    case known
  }

  fileprivate func write(_ database: Database) throws(SQLiteError) -> Outcome {
    var outcome = Outcome.written
    if let correspondence {
      if correspondence.replaces == 0 {
        try database.run(
          "INSERT INTO correspondences (id, conversation, version, body) VALUES (?, ?, 1, ?)",
          correspondence.row, correspondence.conversation, correspondence.body)
      } else {
        try database.run(
          "UPDATE correspondences SET version = ?, body = ? WHERE id = ? AND version = ?",
          correspondence.replaces + 1, correspondence.body, correspondence.row, correspondence.replaces)
        // The step before was not written: neither may this one be.
        guard database.changes == 1 else { throw .constraint }
      }
    }
    if let insert {
      try database.run(
        "INSERT OR IGNORE INTO messages (id, conversation, message, state, body) VALUES (?, ?, ?, ?, ?)",
        insert.row, insert.conversation, insert.message.array, insert.state.rawValue, insert.body)
      if database.changes == 0 { outcome = .known }
    }
    for change in states {
      try database.run("UPDATE messages SET state = ? WHERE id = ?", change.state.rawValue, change.row)
    }
    if let read {
      for message in read.messages {
        try database.run(
          "UPDATE messages SET state = 14 WHERE conversation = ? AND message = ? AND state IN (12, 13)",
          read.conversation, message.array)
      }
    }
    if let usedPrekey { try database.run("DELETE FROM prekeys WHERE id = ?", usedPrekey) }
    if let prekey {
      try database.run("UPDATE prekeys SET body = ? WHERE id = ?", prekey.body, prekey.row)
    }
    return outcome
  }
}

extension ProfileStore {
  /// Takes a message back that nobody has seen. Durable when it returns.
  func forget(_ row: Int64) async throws(NodeError) {
    try await write { (database) throws(SQLiteError) in
      try database.run("DELETE FROM messages WHERE id = ?", row)
    }
  }

  /// A step was not written because the one before it was not: no damage, and said where that one was.
  static let unfounded = NodeError(
    .internal, "what came before could not be written", hint: "make room on the disk and try again")

  /// Writes a step; `then` hears of it on the loop, in the order of the calls, once it is durable.
  @LoopActor func commit(
    _ change: MessageChange,
    then: @escaping @LoopActor @Sendable (Result<MessageChange.Outcome, NodeError>) -> Void
  ) {
    queue.write { (database) throws(SQLiteError) in
      try change.write(database)
    } then: { result in
      Loop.spawn { then(result.mapError { $0 == .constraint ? Self.unfounded : Self.error($0) }) }
    }
  }
}
