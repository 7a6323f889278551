internal import SecchatSQLite

/// The table of transfers: sealed bodies, as those of contacts.
extension ProfileStore {
  static func createTransfers(_ database: Database) throws(SQLiteError) {
    try database.run("CREATE TABLE transfers (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
  }

  func transfers() async throws(NodeError) -> [Int64: TransferRecord] {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query("SELECT id, body FROM transfers") { (row) throws(SQLiteError) in
        (id: try row.integer(0), body: try row.blob(1))
      }
    }
    var transfers: [Int64: TransferRecord] = [:]
    for row in rows {
      // What opens, this profile has sealed: where it means nothing, the program was wrong and nobody has meddled. One
      // transfer is lost then, rather than the profile.
      if let record = TransferRecord(decoding: try open(row.body, "transfers", row.id)) {
        transfers[row.id] = record
      } else {
        try? await removeTransfer(row: row.id)
      }
    }
    return transfers
  }

  /// Durable when it returns.
  func save(_ record: TransferRecord, row: Int64) async throws(NodeError) {
    let sealed = seal(record.encoded, "transfers", row)
    try await write { (database) throws(SQLiteError) in
      try database.run("INSERT OR REPLACE INTO transfers (id, body) VALUES (?, ?)", row, sealed)
    }
  }

  /// Durable when it returns.
  func removeTransfer(row: Int64) async throws(NodeError) {
    try await write { (database) throws(SQLiteError) in
      try database.run("DELETE FROM transfers WHERE id = ?", row)
    }
  }
}
