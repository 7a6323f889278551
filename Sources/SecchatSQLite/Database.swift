internal import CSQLite

/// One connection to a SQLite database. Used from one thread at a time: `DatabaseQueue` sees to that.
///
/// SQL is a `StaticString`: no text that came from elsewhere can become part of a statement. Values are bound.
@safe package final class Database {
  package struct Options: Sendable {
    /// Opens an existing file and changes nothing.
    package var readOnly: Bool
    /// Milliseconds to wait for another process.
    package var busyTimeout: Int32
    /// The most pages of 4 KiB that the file may have; nil for SQLite's own limit.
    package var maximumPages: Int?

    package init(readOnly: Bool = false, busyTimeout: Int32 = 5_000, maximumPages: Int? = nil) {
      self.readOnly = readOnly
      self.busyTimeout = busyTimeout
      self.maximumPages = maximumPages
    }
  }

  private let connection: OpaquePointer
  private let statements: StatementCache
  private var depth = 0

  /// Opens the file at `path`, or makes it with mode 0600 in a folder that exists.
  ///
  /// Write-ahead log, synchronous=FULL: what is committed survives a power cut. Deleted bytes are overwritten, and
  /// temporary tables stay in memory.
  package init(path: String, options: Options = Options()) throws(SQLiteError) {
    if !options.readOnly { try PrivateFile.create(path) }
    var opened: OpaquePointer?
    let mode = options.readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
    // One thread at a time, so SQLite need not lock; extended codes tell a full disk from a broken one.
    let status = unsafe sqlite3_open_v2(
      path, &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard status == SQLITE_OK, let connection = unsafe opened else {
      let error = unsafe SQLiteError(status, opened)
      unsafe sqlite3_close_v2(opened)
      throw error
    }
    unsafe self.connection = connection
    unsafe statements = StatementCache(connection)
    unsafe sqlite3_busy_timeout(connection, options.busyTimeout)
    try check(unsafe secchat_sqlite_harden(connection))
    try configure(options)
  }

  deinit {
    statements.removeAll()
    unsafe sqlite3_close_v2(connection)
  }

  private func configure(_ options: Options) throws(SQLiteError) {
    try execute("PRAGMA cell_size_check = ON")
    try execute("PRAGMA temp_store = MEMORY")
    try execute("PRAGMA secure_delete = ON")
    try execute("PRAGMA foreign_keys = ON")
    // The first look at the file: what is no database is found out here.
    _ = try pragma("PRAGMA schema_version")
    guard !options.readOnly else { return }
    try execute("PRAGMA journal_mode = WAL")
    try execute("PRAGMA synchronous = FULL")
    if let pages = options.maximumPages { try execute("PRAGMA max_page_count = \(pages)") }
  }

  // MARK: Statements

  /// Runs a statement that gives no rows.
  package func run(_ sql: StaticString, _ values: (any Bindable)?...) throws(SQLiteError) {
    try each(sql, values) { (_: borrowing Row) throws(SQLiteError) in true }
  }

  /// What `row` makes of each row.
  package func query<T>(
    _ sql: StaticString, _ values: (any Bindable)?..., row: (borrowing Row) throws(SQLiteError) -> T
  ) throws(SQLiteError) -> [T] {
    var results: [T] = []
    try each(sql, values) { (found: borrowing Row) throws(SQLiteError) in
      results.append(try row(found))
      return true
    }
    return results
  }

  /// What `row` makes of the first row; nil where there is none.
  package func first<T>(
    _ sql: StaticString, _ values: (any Bindable)?..., row: (borrowing Row) throws(SQLiteError) -> T
  ) throws(SQLiteError) -> T? {
    var result: T?
    try each(sql, values) { (found: borrowing Row) throws(SQLiteError) in
      result = try row(found)
      return false
    }
    return result
  }

  /// Calls `row` for each row until it returns false; nothing is kept, however many there are.
  package func forEach(
    _ sql: StaticString, _ values: (any Bindable)?..., row: (borrowing Row) throws(SQLiteError) -> Bool
  ) throws(SQLiteError) {
    try each(sql, values, row)
  }

  private func each(
    _ sql: StaticString, _ values: [(any Bindable)?], _ row: (borrowing Row) throws(SQLiteError) -> Bool
  ) throws(SQLiteError) {
    let statement = try statements.take(sql)
    defer { statements.giveBack(statement, for: sql) }
    try statement.bind(values)
    while try statement.step() {
      guard try row(Row(statement)) else { return }
    }
  }

  /// The rows that the last INSERT, UPDATE or DELETE touched.
  package var changes: Int { unsafe Int(sqlite3_changes64(connection)) }

  /// The row id of the last INSERT.
  package var lastInsertRowID: Int64 { unsafe sqlite3_last_insert_rowid(connection) }

  // MARK: Transactions

  /// All of `body` or nothing. Inside another transaction: all of it or nothing, within that one.
  package func transaction<R>(_ body: () throws(SQLiteError) -> R) throws(SQLiteError) -> R {
    let outermost = depth == 0
    try execute(outermost ? "BEGIN IMMEDIATE" : "SAVEPOINT inner")
    depth += 1
    defer { depth -= 1 }
    do throws(SQLiteError) {
      let result = try body()
      try execute(outermost ? "COMMIT" : "RELEASE inner")
      return result
    } catch {
      // A full disk may have rolled everything back already.
      if isInTransaction {
        if outermost {
          try? execute("ROLLBACK")
        } else {
          try? execute("ROLLBACK TO inner")
          try? execute("RELEASE inner")
        }
      }
      throw error
    }
  }

  /// Whether a transaction is open.
  package var isInTransaction: Bool { unsafe sqlite3_get_autocommit(connection) == 0 }

  // MARK: The file as a whole

  /// The schema's version; 0 in a new file.
  package func userVersion() throws(SQLiteError) -> Int32 { try pragma("PRAGMA user_version") }

  package func setUserVersion(_ version: Int32) throws(SQLiteError) {
    try execute("PRAGMA user_version = \(version)")
  }

  /// What kind of file it is, as `file` and the program itself tell it; 0 in a new file.
  package func applicationID() throws(SQLiteError) -> Int32 { try pragma("PRAGMA application_id") }

  package func setApplicationID(_ id: Int32) throws(SQLiteError) {
    try execute("PRAGMA application_id = \(id)")
  }

  /// Reads the whole file; throws `.corrupt` where its structure is damaged.
  package func quickCheck() throws(SQLiteError) {
    let verdict = try first("PRAGMA quick_check(1)") { (row: borrowing Row) throws(SQLiteError) in
      try row.text(0)
    }
    guard verdict == "ok" else { throw .corrupt }
  }

  /// Moves the write-ahead log into the file and empties it, so that nothing deleted stays in it.
  package func truncateLog() throws(SQLiteError) {
    let blocked = try pragma("PRAGMA wal_checkpoint(TRUNCATE)")
    guard blocked == 0 else { throw .busy }
  }

  private func pragma(_ sql: StaticString) throws(SQLiteError) -> Int32 {
    let value = try first(sql) { (row: borrowing Row) throws(SQLiteError) in try row.integer(0) }
    guard let value, let number = Int32(exactly: value) else { throw .corrupt }
    return number
  }

  private func execute(_ sql: String) throws(SQLiteError) {
    try check(unsafe sqlite3_exec(connection, sql, nil, nil, nil))
  }

  private func check(_ status: Int32) throws(SQLiteError) {
    guard status == SQLITE_OK else { throw unsafe SQLiteError(status, connection) }
  }
}
