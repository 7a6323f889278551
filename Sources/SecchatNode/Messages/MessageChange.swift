internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatSQLite

/// What the messages of one turn write, one or many: all of it or nothing. Bodies are sealed already.
struct MessageChange: Sendable {
  struct Insert: Sendable {
    let row: Int64
    let conversation: Int64
    let message: MessageID
    let state: MessageState
    /// Nil where nothing is to be shown later.
    let body: [UInt8]?
    /// When it is to be forgotten (Unix seconds).
    var expires: UInt64?
  }

  struct Correspondence: Sendable {
    let row: Int64
    let conversation: Int64
    /// The version that this one replaces; nil: there is none yet.
    let replaces: Int64?
    /// Its own, which no other has.
    let version: Int64
    let body: [UInt8]
  }

  var inserts: [Insert] = []
  var states: [(row: Int64, state: MessageState)] = []
  /// What need not be known any more: receipts that have arrived.
  var deletions: [Int64] = []
  /// When messages are to be forgotten (Unix seconds).
  var expiries: [(row: Int64, time: UInt64)] = []
  var correspondence: Correspondence?
  /// Messages of ours that a person has seen. Of those that are delivered it is kept.
  var read: [(conversation: Int64, message: MessageID)] = []
  /// One-time prekeys that have had their use.
  var usedPrekeys: [Int64] = []
  /// Rows of signed prekeys, which remember what has been answered with them.
  var answered: [Int64: [UInt8]] = [:]

  /// What came of a change.
  struct Outcome: Sendable {
    /// Rows that were not written, because messages with their ids were there before.
    var known: Set<Int64> = []
    /// Messages of ours that were not known to have been seen.
    var read: Set<MessageID> = []
  }

  fileprivate func write(_ database: Database) throws(SQLiteError) -> Outcome {
    var outcome = Outcome()
    if let correspondence {
      if let replaces = correspondence.replaces {
        try database.run(
          "UPDATE correspondences SET version = ?, body = ? WHERE id = ? AND version = ?",
          correspondence.version, correspondence.body, correspondence.row, replaces)
        // The step before was not written: neither may this one be.
        guard database.changes == 1 else { throw .constraint }
      } else {
        try database.run(
          "INSERT INTO correspondences (id, conversation, version, body) VALUES (?, ?, ?, ?)",
          correspondence.row, correspondence.conversation, correspondence.version, correspondence.body)
      }
    }
    for insert in inserts {
      try database.run(
        "INSERT OR IGNORE INTO messages (id, conversation, message, state, body, expires) VALUES (?, ?, ?, ?, ?, ?)",
        insert.row, insert.conversation, insert.message.array, insert.state.rawValue, insert.body,
        insert.expires.map { Int64(clamping: $0) })
      if database.changes == 0 { outcome.known.insert(insert.row) }
    }
    for change in states {
      try database.run("UPDATE messages SET state = ? WHERE id = ?", change.state.rawValue, change.row)
      // What is not kept does not leave.
      guard change.state != .sent || database.changes == 1 else { throw .constraint }
    }
    for row in deletions { try database.run("DELETE FROM messages WHERE id = ?", row) }
    for one in expiries {
      try database.run("UPDATE messages SET expires = ? WHERE id = ?", Int64(clamping: one.time), one.row)
    }
    for one in read {
      try database.run(
        "UPDATE messages SET state = ? WHERE conversation = ? AND message = ? AND state = ?",
        MessageState.read.rawValue, one.conversation, one.message.array, MessageState.delivered.rawValue)
      if database.changes == 1 { outcome.read.insert(one.message) }
    }
    for row in usedPrekeys { try database.run("DELETE FROM prekeys WHERE id = ?", row) }
    for (row, body) in answered {
      try database.run("UPDATE prekeys SET body = ? WHERE id = ?", body, row)
    }
    return outcome
  }
}

extension ProfileStore {
  /// Marks messages that came as seen by a person; returns those that were not before. Durable when it returns.
  func markShown(_ ids: [MessageID], in conversation: Int64) async throws(NodeError) -> [MessageID] {
    try await write { (database) throws(SQLiteError) in
      var fresh: [MessageID] = []
      for id in ids {
        try database.run(
          "UPDATE messages SET state = ? WHERE conversation = ? AND message = ? AND state = ?",
          MessageState.shown.rawValue, conversation, id.array, MessageState.received.rawValue)
        if database.changes == 1 { fresh.append(id) }
      }
      return fresh
    }
  }

  /// Takes a message back that nobody has seen. Durable when it returns.
  func forget(_ row: Int64) async throws(NodeError) {
    try await write { (database) throws(SQLiteError) in
      try database.run("DELETE FROM messages WHERE id = ?", row)
    }
  }

  /// A step was not written because the one before it was not: no damage. What went wrong is that one's error.
  static let unfounded = NodeError(
    .internal, "what came before could not be written", hint: "make room on the disk and try again")

  /// Writes a change; `then` hears of it on the loop, in the order of the calls, once it is durable.
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
