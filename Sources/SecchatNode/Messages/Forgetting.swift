internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatSQLite

/// Messages that are to be gone: their rows stay as long as they may come again, without what they said.
extension ProfileStore {
  /// Rows without a body that are kept of a conversation, so that what comes again is known.
  private static let tombstones = 4_096

  /// Keeps the key of a conversation. Durable when it returns.
  func save(_ key: ConversationKey, of conversation: Int64) async throws(NodeError) {
    let exported = key.exported
    let wrapped = seal(exported.bytes, "conversations.key", conversation)
    try await write { (database) throws(SQLiteError) in
      try database.run("UPDATE conversations SET key = ? WHERE id = ?", wrapped, conversation)
    }
  }

  /// Destroys the former keys of a conversation and what was sealed under them. What waits to be delivered is sealed anew.
  /// Copies are in the log until it is emptied (`clean`).
  ///
  /// - Parameter waiting: rows and their new bodies.
  func destroy(
    _ conversation: Int64, key: ConversationKey, waiting: [(row: Int64, body: [UInt8])]
  ) async throws(NodeError) {
    let exported = key.exported
    let wrapped = seal(exported.bytes, "conversations.key", conversation)
    try await write { (database) throws(SQLiteError) in
      try database.run("UPDATE conversations SET key = ? WHERE id = ?", wrapped, conversation)
      try database.run("UPDATE messages SET body = NULL, expires = NULL WHERE conversation = ?", conversation)
      for one in waiting { try database.run("UPDATE messages SET body = ? WHERE id = ?", one.body, one.row) }
      try database.run(
        """
        DELETE FROM messages WHERE conversation = ?1 AND body IS NULL AND id NOT IN
          (SELECT id FROM messages WHERE conversation = ?1 ORDER BY id DESC LIMIT ?2)
        """, conversation, Self.tombstones)
    }
  }

  /// Takes what messages said whose time has come. Says when the next one's will (Unix seconds).
  func expire(now: UInt64) async throws(NodeError) -> UInt64? {
    let now = Int64(clamping: now)
    let (count, next) = try await write { (database) throws(SQLiteError) in
      try database.run("UPDATE messages SET body = NULL, expires = NULL WHERE expires <= ?", now)
      let count = database.changes
      let next = try database.first("SELECT min(expires) FROM messages WHERE expires IS NOT NULL") {
        (row: borrowing Row) throws(SQLiteError) in try row.optionalInteger(0)
      }
      return (count, next ?? nil)
    }
    // Where the log cannot be emptied now, that is seen to with the next ones.
    if count > 0 { try? await clean() }
    return next.map { UInt64(clamping: $0) }
  }

  /// Empties the write-ahead log: what was overwritten in the file is not to be read there either.
  func clean() async throws(NodeError) {
    for attempt in 1... {
      do throws(SQLiteError) {
        return try await queue.read { (database) throws(SQLiteError) in try database.truncateLog() }
      } catch {
        // Somebody is reading the past. SQLite itself has waited for some seconds.
        guard error == .busy, attempt < 3 else { throw Self.error(error) }
        try? await Loop.sleep(for: 50)
      }
    }
  }
}
