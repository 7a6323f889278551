import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

@Suite struct TransferRowsTests {
  /// What the program itself has sealed and cannot read costs that transfer; what somebody has changed, the profile.
  @Test @LoopActor func whatMeansNothingIsDropped() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/alice")
    let store = try ProfileStore(home, try SecretIdentity.generate(now: 1))
    let transfers = try await Transfers(store)
    let peer = Account(name: try #require(UserName("bob")), registry: try LinkKeyPair.random().publicKey)
    // As one that was made of a name that other file systems may have.
    for name in [String(repeating: "x", count: 256), "y"] {
      try await transfers.save(
        TransferRecord(
          key: .init(id: Random.bytes(), peer: peer, isIncoming: false), changed: 0, name: name, items: 1,
          entries: 1, bytes: 5))
    }
    let again = try await Transfers(store)
    #expect(again.all.map(\.name) == ["y"])
    #expect(try await store.transfers().count == 1)
    try await store.write { (database) throws(SQLiteError) in
      try database.run("UPDATE transfers SET body = zeroblob(80)")
    }
    let error = await failure { () throws(NodeError) in _ = try await Transfers(store) }
    #expect(error?.status == .integrity)
    await store.close()
  }

  /// An offer that others have pushed out of memory may be made again; while it is remembered, its id is for it alone.
  @Test @LoopActor func manyOffers() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/alice")
    let store = try ProfileStore(home, try SecretIdentity.generate(now: 1))
    let transfers = try await Transfers(store)
    let peer = Account(name: try #require(UserName("bob")), registry: try LinkKeyPair.random().publicKey)
    func asks(_ id: MessageID, bytes: UInt64 = 1, isNew: Bool = true) -> Bool {
      let offer = Offer(stream: 1, id: id, items: 1, entries: 1, bytes: bytes, name: "x")
      return transfers.mayAsk(offer, .init(id: id, peer: peer, isIncoming: true), isNew: isNew)
    }
    let first: MessageID = Random.bytes()
    #expect(asks(first))
    #expect(!asks(first, bytes: 2, isNew: false))
    for _ in 0..<300 { #expect(asks(Random.bytes())) }
    #expect(asks(first, isNew: false))
    #expect(!asks(first, bytes: 2, isNew: false))
    await store.close()
  }

  /// What the disk has not taken has not happened.
  @Test @LoopActor func aFullDisk() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/alice")
    let store = try ProfileStore(home, try SecretIdentity.generate(now: 1))
    let transfers = try await Transfers(store)
    let peer = Account(name: try #require(UserName("bob")), registry: try LinkKeyPair.random().publicKey)
    func record(_ name: String) -> TransferRecord {
      TransferRecord(
        key: .init(id: Random.bytes(), peer: peer, isIncoming: false), changed: 0, name: name, items: 1,
        entries: 1, bytes: 5)
    }
    var first = record("first")
    try await transfers.save(first)
    let before = transfers.all
    try await store.fillTransfers()
    first.state = .paused
    await #expect(throws: NodeError.self) { try await transfers.save(first) }
    await #expect(throws: NodeError.self) { try await transfers.save(record("second")) }
    await #expect(throws: NodeError.self) { try await transfers.remove(first.key) }
    await #expect(throws: NodeError.self) { try await transfers.replace(first.key, by: record("other")) }
    #expect(transfers.all == before)
    #expect(try await Transfers(store).all == before)
    await store.close()
  }

  /// A profile of before there were messages and transfers gets the tables, and keeps what it has.
  @Test @LoopActor func anOlderProfileGetsTheTables() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/alice")
    let secret = try SecretIdentity.generate(now: 1)
    let first = try ProfileStore(home, secret)
    // As version 1 wrote them.
    let settings =
      #"{"registries":{},"isLoggedOut":false,"listen":"127.0.0.1:7500","files":"ask","#
      + #""strangers":"accept","visibility":"everyone"}"#
    let sealed = first.seal(Array(settings.utf8), "settings", 1)
    await first.close()
    do {
      let database = try Database(path: home.databasePath)
      try database.run("DROP TABLE transfers")
      try database.run("DROP TABLE messages")
      try database.run("DROP TABLE correspondences")
      try database.run("DROP TABLE conversations")
      try database.run("DROP TABLE prekeys")
      try database.run("INSERT INTO settings (id, body) VALUES (1, ?)", sealed)
      try database.setUserVersion(1)
    }
    let second = try ProfileStore(home, secret)
    #expect(try await second.settings().listen == "127.0.0.1:7500")
    #expect(try await Conversations(second).all.isEmpty)
    _ = try await PrekeyKeeper(second, secret).current(now: 1)
    let transfers = try await Transfers(second)
    #expect(transfers.all.isEmpty)
    let peer = Account(name: try #require(UserName("bob")), registry: try LinkKeyPair.random().publicKey)
    var record = TransferRecord(
      key: .init(id: Random.bytes(), peer: peer, isIncoming: false), changed: 0, name: "x", items: 1,
      entries: 1, bytes: 5)
    try await transfers.save(record)
    record.state = .paused
    try await transfers.save(record)
    let again = try await Transfers(second)
    #expect(again.all.map(\.state) == [.paused])
    try await again.remove(record.key)
    #expect(try await Transfers(second).all.isEmpty)
    await second.close()
  }
}

extension ProfileStore {
  /// As a disk that is full: no transfer is written or removed any more.
  func fillTransfers() async throws(NodeError) {
    try await write { (database) throws(SQLiteError) in
      try database.run(
        "CREATE TRIGGER fullForNew BEFORE INSERT ON transfers BEGIN SELECT RAISE(ABORT, 'full'); END")
      try database.run(
        "CREATE TRIGGER fullForOld BEFORE DELETE ON transfers BEGIN SELECT RAISE(ABORT, 'full'); END")
    }
  }
}
