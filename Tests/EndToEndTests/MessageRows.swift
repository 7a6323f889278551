import Foundation
import SecchatSQLite
import TestSupport

/// What a profile's database says of its messages beside their sealed bodies, in its order. Read while no program has the
/// profile open.
struct MessageRows: Sendable {
  /// Ids of messages that came.
  let received: [String]
  /// Ids of messages of its own, with what became of them.
  let own: [(id: String, state: Int64)]

  /// A message of ours that the other side has on disk.
  static let delivered: Int64 = 13

  init(of profile: Profile) throws {
    let database = try Database(path: profile.home + "/profile.db", options: .init(readOnly: true))
    try database.quickCheck()
    let rows = try database.query("SELECT message, state FROM messages ORDER BY id") {
      (row: borrowing Row) throws(SQLiteError) in
      (id: try row.blob(0).map { byte in Self.digits(byte) }.joined(), state: try row.integer(1))
    }
    received = rows.filter { $0.state < 11 }.map(\.id)
    own = rows.filter { $0.state >= 11 }
  }

  private static func digits(_ byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }
}
