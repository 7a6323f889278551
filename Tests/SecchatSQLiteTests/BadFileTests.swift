import SecchatSQLite
import TestSupport
import Testing

@Suite struct BadFileTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("test.db")
  }

  private func fill(_ database: Database, rows: Int) throws(SQLiteError) {
    try database.run("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
    for id in 0..<rows {
      try database.run("INSERT INTO item VALUES (?, ?)", id, [UInt8](repeating: 0x55, count: 1_000))
    }
  }

  @Test func anotherFileIsNoDatabase() throws {
    try folder.write(
      "test.db",
      Array("this is a letter, and long enough to be looked at: ".utf8) + Array(repeating: 65, count: 4_096))
    #expect(throws: SQLiteError.corrupt) { try Database(path: path) }
    #expect(throws: SQLiteError.corrupt) { try Database(path: path, options: .init(readOnly: true)) }
  }

  @Test func aDamagedFileIsFoundByTheCheck() throws {
    do {
      let database = try Database(path: path)
      try fill(database, rows: 200)
      try database.quickCheck()
      try database.truncateLog()
    }
    var bytes = try folder.read("test.db")
    try #require(bytes.count > 20_000)
    for index in 8_192..<12_288 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try folder.write("test.db", bytes)
    let database = try Database(path: path)
    #expect(throws: SQLiteError.corrupt) { try database.quickCheck() }
  }

  @Test func aCutFileIsFoundByTheCheck() throws {
    do {
      let database = try Database(path: path)
      try fill(database, rows: 200)
      try database.truncateLog()
    }
    try folder.write("test.db", Array(try folder.read("test.db").prefix(16_384)))
    #expect(throws: SQLiteError.corrupt) { try Database(path: path).quickCheck() }
  }

  @Test func aFolderThatIsNotThereCannotBeOpened() throws {
    #expect(throws: SQLiteError.cannotOpen) { try Database(path: folder.file("none/test.db")) }
    #expect(throws: SQLiteError.cannotOpen) { try Database(path: folder.path) }
    #expect(throws: SQLiteError.cannotOpen) { try Database(path: path, options: .init(readOnly: true)) }
  }

  @Test func readOnlyRefusesToWrite() throws {
    let writer = try Database(path: path)
    try fill(writer, rows: 1)
    let reader = try Database(path: path, options: .init(readOnly: true))
    #expect(throws: SQLiteError.readOnly) { try reader.run("DELETE FROM item") }
    let count = try reader.first("SELECT count(*) FROM item") { (row: borrowing Row) throws(SQLiteError) in
      try row.integer(0)
    }
    #expect(count == 1)
  }

  @Test func aFullDatabaseIsToldAndStaysWhole() throws {
    let database = try Database(path: path, options: .init(maximumPages: 10))
    #expect(throws: SQLiteError.full) {
      try database.transaction { () throws(SQLiteError) in try fill(database, rows: 100) }
    }
    #expect(!database.isInTransaction)
    try fill(database, rows: 5)
    try database.quickCheck()
  }

  @Test func noErrorShowsThePath() {
    let errors: [SQLiteError] = [.busy, .full, .readOnly, .corrupt, .cannotOpen, .constraint, .other(26)]
    #expect(Set(errors.map(\.description)).count == errors.count)
    #expect(errors.allSatisfy { !$0.description.contains("/") })
  }
}
