import SecchatSQLite
import TestSupport
import Testing

@Suite struct DatabaseTests {
  let folder: TemporaryFolder
  let path: String
  let database: Database

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("test.db")
    database = try Database(path: path)
    try database.run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB) STRICT")
  }

  private func count(_ database: Database) throws -> Int64? {
    try database.first("SELECT count(*) FROM item") { (row: borrowing Row) throws(SQLiteError) in
      try row.integer(0)
    }
  }

  /// What a power cut may take depends on these alone.
  @Test func whatIsCommittedIsOnTheDisk() throws {
    let synchronous = try database.first("PRAGMA synchronous") { (row: borrowing Row) throws(SQLiteError) in
      try row.integer(0)
    }
    #expect(synchronous == 2, "FULL")
    let journal = try database.first("PRAGMA journal_mode") { (row: borrowing Row) throws(SQLiteError) in
      try row.text(0)
    }
    #expect(journal == "wal")
  }

  @Test func everyTypeComesBackAsItWent() throws {
    try database.run(
      "INSERT INTO item VALUES (?, ?, ?)", Int64.min, "é\u{0}\u{1F600}", [0, 255, 0] as [UInt8])
    try database.run("INSERT INTO item VALUES (?, ?, ?)", Int64.max, "", [] as [UInt8])
    try database.run("INSERT INTO item VALUES (?, ?, ?)", 0, nil, nil)
    let rows = try database.query("SELECT id, name, body FROM item ORDER BY id") {
      (row: borrowing Row) throws(SQLiteError) in
      (try row.integer(0), try row.optionalText(1), try row.optionalBlob(2))
    }
    #expect(rows.map(\.0) == [.min, 0, .max])
    #expect(rows.map(\.1) == ["é\u{0}\u{1F600}", nil, ""])
    #expect(rows.map(\.2) == [[0, 255, 0], nil, []])
    #expect(database.lastInsertRowID == 0)
  }

  @Test func aColumnOfAnotherTypeIsCorrupt() throws {
    try database.run("INSERT INTO item VALUES (300, 'a', NULL)")
    #expect(throws: SQLiteError.corrupt) {
      try database.query("SELECT name FROM item") { (row: borrowing Row) throws(SQLiteError) in
        try row.integer(0)
      }
    }
    #expect(throws: SQLiteError.corrupt) {
      try database.query("SELECT body FROM item") { (row: borrowing Row) throws(SQLiteError) in
        try row.blob(0)
      }
    }
    #expect(throws: SQLiteError.corrupt) {
      try database.query("SELECT id FROM item") { (row: borrowing Row) throws(SQLiteError) in
        try row.integer(0, as: UInt8.self)
      }
    }
    #expect(throws: SQLiteError.corrupt) {
      try database.query("SELECT CAST(x'ff' AS TEXT)") { (row: borrowing Row) throws(SQLiteError) in
        try row.text(0)
      }
    }
  }

  @Test func whatIsBoundIsNeverSQL() throws {
    let name = "'); DROP TABLE item; --"
    try database.run("INSERT INTO item (name) VALUES (?)", name)
    let found = try database.first("SELECT name FROM item WHERE name = ?", name) {
      (row: borrowing Row) throws(SQLiteError) in try row.text(0)
    }
    #expect(found == name)
  }

  @Test func wrongNumberOfValuesIsRefused() {
    #expect(throws: SQLiteError.self) { try database.run("INSERT INTO item (name) VALUES (?)") }
    #expect(throws: SQLiteError.self) { try database.run("INSERT INTO item (name) VALUES ('a')", 1) }
  }

  @Test func aBrokenConstraintIsTold() throws {
    try database.run("INSERT INTO item (name) VALUES ('a')")
    #expect(throws: SQLiteError.constraint) { try database.run("INSERT INTO item (name) VALUES ('a')") }
    try database.run("INSERT INTO item (name) VALUES ('b')")
    #expect(try count(database) == 2)
  }

  @Test func foreignKeysHold() throws {
    try database.run("CREATE TABLE part (item INTEGER REFERENCES item (id)) STRICT")
    #expect(throws: SQLiteError.constraint) { try database.run("INSERT INTO part VALUES (77)") }
  }

  @Test func aQueryWithinAQueryOfTheSameText() throws {
    for id in 1...3 { try database.run("INSERT INTO item (id) VALUES (?)", id) }
    var pairs = 0
    func visit(_ level: Int) throws(SQLiteError) {
      try database.forEach("SELECT id FROM item") { (_: borrowing Row) throws(SQLiteError) in
        pairs += 1
        if level == 0 { try visit(1) }
        return true
      }
    }
    try visit(0)
    #expect(pairs == 3 + 9)
  }

  @Test func changesCountsTheLastStatement() throws {
    for id in 1...3 { try database.run("INSERT INTO item (id) VALUES (?)", id) }
    try database.run("DELETE FROM item WHERE id > 1")
    #expect(database.changes == 2)
  }

  // MARK: Transactions

  @Test func aTransactionThatThrowsChangesNothing() throws {
    #expect(throws: SQLiteError.constraint) {
      try database.transaction { () throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (1)")
        try database.run("INSERT INTO item (id) VALUES (1)")
      }
    }
    #expect(!database.isInTransaction)
    #expect(try count(database) == 0)
  }

  @Test func anInnerTransactionIsUndoneAlone() throws {
    try database.transaction { () throws(SQLiteError) in
      try database.run("INSERT INTO item (id) VALUES (1)")
      try? database.transaction { () throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (2)")
        throw .other(0)
      }
      try database.transaction { () throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (3)")
      }
    }
    let ids = try database.query("SELECT id FROM item ORDER BY id") {
      (row: borrowing Row) throws(SQLiteError) in
      try row.integer(0)
    }
    #expect(ids == [1, 3])
  }

  @Test func whatIsNotCommittedIsNotSeenByOthers() throws {
    let other = try Database(path: path)
    try database.transaction { () throws(SQLiteError) in
      try database.run("INSERT INTO item (id) VALUES (1)")
      #expect((try? count(other)) == 0)
    }
    #expect(try count(other) == 1)
  }

  @Test func aSecondWriterIsBusy() throws {
    let other = try Database(path: path, options: .init(busyTimeout: 1))
    try database.transaction { () throws(SQLiteError) in
      _ = #expect(throws: SQLiteError.busy) { try other.run("INSERT INTO item (id) VALUES (1)") }
    }
    try other.run("INSERT INTO item (id) VALUES (1)")
  }

  // MARK: The file

  @Test func versionAndKindStayInTheFile() throws {
    #expect(try database.userVersion() == 0)
    try database.setUserVersion(7)
    try database.setApplicationID(0x1234)
    let again = try Database(path: path)
    #expect(try again.userVersion() == 7)
    #expect(try again.applicationID() == 0x1234)
  }

  @Test func everyFileIsItsOwnersAlone() throws {
    try database.run("INSERT INTO item (id) VALUES (1)")
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
      #expect(try permissions(of: folder.file(name)) == 0o600, "\(name)")
    }
  }

  @Test func aFileThatOthersCouldReadIsRestricted() throws {
    try folder.write("open.db", [])
    try setPermissions(0o644, of: folder.file("open.db"))
    let opened = try Database(path: folder.file("open.db"))
    try opened.run("CREATE TABLE t (a) ")
    for name in ["open.db", "open.db-wal", "open.db-shm"] {
      #expect(try permissions(of: folder.file(name)) == 0o600, "\(name)")
    }
  }

  @Test func deletedTextIsGoneFromTheFiles() throws {
    let canary = "canary-5bd1e995-canary"
    try database.run("INSERT INTO item (id, name) VALUES (1, ?)", canary)
    try database.run("DELETE FROM item")
    try database.truncateLog()
    #expect(!contains(try folder.read("test.db"), canary))
    #expect(try folder.read("test.db-wal").isEmpty)
  }

  private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
    String(decoding: bytes, as: UTF8.self).contains(text)
  }
}
