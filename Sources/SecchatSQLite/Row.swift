internal import CSQLite

/// A row of a result, for as long as the closure that was given it runs. A value of another type than the one asked
/// for means that the file does not hold what its schema says: `.corrupt`.
package struct Row: ~Copyable {
  private let statement: Statement

  init(_ statement: Statement) { self.statement = statement }

  package func isNull(_ column: Int32) -> Bool { statement.type(column) == SQLITE_NULL }

  package func integer(_ column: Int32) throws(SQLiteError) -> Int64 {
    guard statement.type(column) == SQLITE_INTEGER else { throw .corrupt }
    return statement.integer(column)
  }

  /// An integer column that must fit a narrower type.
  package func integer<Integer: FixedWidthInteger>(
    _ column: Int32, as: Integer.Type
  ) throws(SQLiteError) -> Integer {
    guard let value = Integer(exactly: try integer(column)) else { throw .corrupt }
    return value
  }

  package func bool(_ column: Int32) throws(SQLiteError) -> Bool {
    switch try integer(column) {
    case 0: return false
    case 1: return true
    default: throw .corrupt
    }
  }

  package func text(_ column: Int32) throws(SQLiteError) -> String {
    guard statement.type(column) == SQLITE_TEXT,
      let text = String(validating: statement.bytes(column), as: UTF8.self)
    else { throw .corrupt }
    return text
  }

  package func blob(_ column: Int32) throws(SQLiteError) -> [UInt8] {
    guard statement.type(column) == SQLITE_BLOB else { throw .corrupt }
    return statement.bytes(column)
  }

  package func optionalInteger(_ column: Int32) throws(SQLiteError) -> Int64? {
    isNull(column) ? nil : try integer(column)
  }

  package func optionalText(_ column: Int32) throws(SQLiteError) -> String? {
    isNull(column) ? nil : try text(column)
  }

  package func optionalBlob(_ column: Int32) throws(SQLiteError) -> [UInt8]? {
    isNull(column) ? nil : try blob(column)
  }
}
