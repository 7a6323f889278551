internal import SecchatSQLite

/// The table of transfers: sealed bodies, as those of contacts.
extension ProfileStore {
  /// Makes the table where there is none yet.
  static func createTransfers(_ database: Database) throws(SQLiteError) {
    try database.run(
      "CREATE TABLE IF NOT EXISTS transfers (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
  }

  private struct SealedRow: Sendable {
    let id: Int64
    let body: [UInt8]
  }

  func transfers() async throws(NodeError) -> [Int64: TransferRecord] {
    let rows: [SealedRow]
    do throws(SQLiteError) {
      rows = try await queue.read { (database) throws(SQLiteError) in
        try database.query("SELECT id, body FROM transfers") { (row) throws(SQLiteError) in
          SealedRow(id: try row.integer(0), body: try row.blob(1))
        }
      }
    } catch { throw Self.error(error) }
    var transfers: [Int64: TransferRecord] = [:]
    for row in rows {
      guard let record = TransferRecord(decoding: try open(row.body, "transfers", row.id)) else {
        throw Self.error(.corrupt)
      }
      transfers[row.id] = record
    }
    return transfers
  }

  /// Durable when it returns.
  func save(_ record: TransferRecord, row: Int64) async throws(NodeError) {
    let sealed = seal(record.encoded, "transfers", row)
    do throws(SQLiteError) {
      try await queue.write { (database) throws(SQLiteError) in
        try database.run("INSERT OR REPLACE INTO transfers (id, body) VALUES (?, ?)", row, sealed)
      }
    } catch { throw Self.error(error) }
  }

  /// Durable when it returns.
  func removeTransfer(row: Int64) async throws(NodeError) {
    do throws(SQLiteError) {
      try await queue.write { (database) throws(SQLiteError) in
        try database.run("DELETE FROM transfers WHERE id = ?", row)
      }
    } catch { throw Self.error(error) }
  }
}
