import SecchatCore
import SecchatCrypto
import SecchatRegistry
import SecchatSQLite
import TestSupport
import Testing

@Suite struct SQLiteStoreTests {
  let folder: TemporaryFolder
  let path: String
  let registry: LinkPublicKey

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("registry.db")
    registry = try LinkKeyPair.random().publicKey
  }

  @Test func itIsAStore() async throws {
    try await RegistryStoreConformance { [path] in try SQLiteStore(path: path) }.run()
  }

  @Test func itsFilesAreItsOwnersAlone() async throws {
    let store = try SQLiteStore(path: path)
    _ = try await store.claim(User("ann").account(at: registry))
    for name in ["registry.db", "registry.db-wal", "registry.db-shm"] {
      #expect(try permissions(of: folder.file(name)) == 0o600)
    }
    await store.close()
    #expect(try folder.names() == ["registry.db"])
  }

  @Test func aNewerFileIsRefused() async throws {
    await (try SQLiteStore(path: path)).close()
    try Database(path: path).setUserVersion(3)
    #expect(throws: StoreError.newer) { try SQLiteStore(path: path) }
  }

  @Test func anotherProgramsFileIsRefusedAndLeftAlone() throws {
    try Database(path: path).run("CREATE TABLE note (text)")
    #expect(throws: StoreError.foreign) { try SQLiteStore(path: path) }
    let tables = try Database(path: path).query("SELECT name FROM sqlite_schema") {
      (row: borrowing Row) throws(SQLiteError) in try row.text(0)
    }
    #expect(tables == ["note"])
  }

  @Test func garbageIsRefused() throws {
    try folder.write("registry.db", Array(repeating: 0x5a, count: 8_192))
    #expect(throws: StoreError.damaged) { try SQLiteStore(path: path) }
  }

  @Test func aDamagedFileIsRefused() async throws {
    let store = try SQLiteStore(path: path)
    for index in 0..<100 {
      #expect(try await store.claim(User("user-\(index)").account(at: registry)) == .claimed)
    }
    await store.close()
    var bytes = try folder.read("registry.db")
    try #require(bytes.count > 12_288)
    for index in 4_096..<12_288 { bytes[index] = 0xa5 }
    try folder.write("registry.db", bytes)
    #expect(throws: StoreError.damaged) { try SQLiteStore(path: path) }
  }

  @Test func aListThatWasChangedInTheFileIsNotGivenOut() async throws {
    let user = try User("ann")
    var store = try SQLiteStore(path: path)
    _ = try await store.claim(user.account(at: registry))
    await store.close()
    do {
      let database = try Database(path: path)
      var list = try user.list(at: registry).encoded
      list[70] ^= 1
      try database.run("UPDATE account SET list = ?", list)
    }
    store = try SQLiteStore(path: path)
    await #expect(throws: StoreError.damaged) { try await store.account(named: user.name) }
    await store.close()
  }

  @Test func aListUnderAnothersNameIsNotGivenOut() async throws {
    let (ann, bob) = (try User("ann"), try User("bob"))
    var store = try SQLiteStore(path: path)
    _ = try await store.claim(ann.account(at: registry))
    _ = try await store.claim(bob.account(at: registry))
    await store.close()
    try Database(path: path).run(
      "UPDATE account SET list = (SELECT list FROM account WHERE name = 'bob') WHERE name = 'ann'")
    store = try SQLiteStore(path: path)
    await #expect(throws: StoreError.damaged) { try await store.account(named: ann.name) }
    #expect(try await store.account(named: bob.name) != nil)
    await store.close()
  }

  @Test func aFullDiskIsToldAndLosesNothing() async throws {
    let store = try SQLiteStore(path: path, maximumPages: 8)
    var kept: [StoredAccount] = []
    await #expect(throws: StoreError.full) {
      for index in 0..<1_000 {
        let account = try User("user-\(index)").account(at: registry)
        #expect(try await store.claim(account) == .claimed)
        kept.append(account)
      }
    }
    #expect(!kept.isEmpty)
    for account in kept { #expect(try await store.account(named: account.name) == account) }
    await store.close()
  }

  @Test func aFolderThatIsMissingIsTold() {
    #expect(throws: StoreError.self) { try SQLiteStore(path: folder.file("none/registry.db")) }
  }
}
