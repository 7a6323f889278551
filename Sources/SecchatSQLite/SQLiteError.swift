internal import CSQLite
internal import Glibc

/// Why the database could not do what was asked.
package enum SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process holds it.
  case busy
  /// The disk, the quota or the database's own limit is full.
  case full
  case readOnly
  /// Damaged, not a database at all, or holding what its schema does not allow.
  case corrupt
  case cannotOpen
  case constraint
  /// Any other of SQLite's primary result codes.
  case other(Int32)

  package var description: String {
    switch self {
    case .busy: "the database is in use by another process"
    case .full: "the disk is full"
    case .readOnly: "the database may not be written"
    case .corrupt: "the database is damaged or is none"
    case .cannotOpen: "the database cannot be opened"
    case .constraint: "the database refuses that value"
    case .other(let code): "the database reported error \(code)"
    }
  }

  /// From a result code; `database` still knows what the system said.
  init(_ status: Int32, _ database: OpaquePointer?) {
    let primary = status & 0xff
    self =
      switch primary {
      case SQLITE_BUSY, SQLITE_LOCKED: .busy
      case SQLITE_FULL: .full
      case SQLITE_READONLY: .readOnly
      case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
      case SQLITE_CANTOPEN, SQLITE_PERM: .cannotOpen
      case SQLITE_CONSTRAINT: .constraint
      case SQLITE_IOERR:
        switch unsafe Self.systemError(database) {
        case ENOSPC, EDQUOT: .full
        case EROFS: .readOnly
        default: .other(primary)
        }
      default: .other(primary)
      }
  }

  private static func systemError(_ database: OpaquePointer?) -> Int32 {
    guard let database = unsafe database else { return 0 }
    return unsafe sqlite3_system_errno(database)
  }
}
