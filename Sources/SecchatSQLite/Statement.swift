internal import CSQLite

/// A prepared statement.
@safe final class Statement {
  private let connection: OpaquePointer
  private let handle: OpaquePointer

  init(_ sql: StaticString, _ connection: OpaquePointer) throws(SQLiteError) {
    var handle: OpaquePointer?
    let status = sql.withUTF8Buffer { text in
      let start = unsafe UnsafeRawPointer(text.baseAddress)?.assumingMemoryBound(to: CChar.self)
      return unsafe sqlite3_prepare_v3(
        connection, start, Int32(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    }
    guard status == SQLITE_OK else { throw unsafe SQLiteError(status, connection) }
    // Empty SQL gives no statement.
    guard let handle = unsafe handle else { throw .other(SQLITE_MISUSE) }
    unsafe self.connection = connection
    unsafe self.handle = handle
  }

  deinit { unsafe sqlite3_finalize(handle) }

  func bind(_ values: [(any Bindable)?]) throws(SQLiteError) {
    guard unsafe sqlite3_bind_parameter_count(handle) == values.count else { throw .other(SQLITE_RANGE) }
    for (index, value) in values.enumerated() { try bind(value?.bound, at: Int32(index + 1)) }
  }

  private func bind(_ value: BoundValue?, at index: Int32) throws(SQLiteError) {
    let status =
      switch value {
      case nil: unsafe sqlite3_bind_null(handle, index)
      case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
      case .text(var text):
        text.withUTF8 { bytes in
          let start = unsafe UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
          return unsafe secchat_sqlite_bind_text(handle, index, start ?? Self.empty, UInt64(bytes.count))
        }
      case .blob(let bytes):
        unsafe bytes.withUnsafeBytes { bytes in
          unsafe secchat_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
        }
      }
    guard status == SQLITE_OK else { throw unsafe SQLiteError(status, connection) }
  }

  /// A null pointer would bind NULL where the empty string is meant.
  private static var empty: UnsafePointer<CChar> {
    let text: StaticString = ""
    return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  /// Whether there is another row.
  func step() throws(SQLiteError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let status: throw unsafe SQLiteError(status, connection)
    }
  }

  /// Ready to be used again; holds no values and no lock.
  func reset() {
    unsafe sqlite3_reset(handle)
    unsafe sqlite3_clear_bindings(handle)
  }

  func type(_ column: Int32) -> Int32 { unsafe sqlite3_column_type(handle, column) }

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = unsafe Int(sqlite3_column_bytes(handle, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }
}

/// Prepared statements, kept by the address of their SQL. One in use is not in here, so that a query within a query
/// gets its own.
@safe final class StatementCache {
  private let connection: OpaquePointer
  private var idle: [UInt: Statement] = [:]

  init(_ connection: OpaquePointer) { unsafe self.connection = connection }

  private func key(_ sql: StaticString) -> UInt { unsafe UInt(bitPattern: sql.utf8Start) }

  func take(_ sql: StaticString) throws(SQLiteError) -> Statement {
    if let statement = idle.removeValue(forKey: key(sql)) { return statement }
    return unsafe try Statement(sql, connection)
  }

  func giveBack(_ statement: Statement, for sql: StaticString) {
    statement.reset()
    idle[key(sql)] = statement
  }

  func removeAll() { idle.removeAll() }
}
