import SecchatCore
import SecchatCrypto
import SecchatRegistry
import SecchatSQLite
import TestSupport
import Testing

/// What is SQLite's own about prekeys: the file's versions, a crash, and how much is read. The rules are in
/// `PrekeyConformance`.
@Suite struct SQLitePrekeyTests {
  let folder: TemporaryFolder
  let path: String
  let registry: LinkPublicKey
  private let now: UInt64 = 1_700_000_000

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("registry.db")
    registry = try LinkKeyPair.random().publicKey
  }

  private func order(_ user: User, _ requester: String) throws -> PrekeyOrder {
    PrekeyOrder(
      owner: user.owner, requester: try #require(UserName(requester)),
      limits: PrekeyLimits(perDevice: 1_000, perRequester: 6))
  }

  private func publish(_ user: User, _ ids: ClosedRange<UInt32>, in store: SQLiteStore) async throws {
    _ = try await store.claim(user.account(at: registry))
    let message = Publish(
      request: 1, signed: user.signedPrekey(at: registry), keys: oneTimePrekeys(ids))
    guard case .published = try await store.publish(message, of: user.owner, now: now) else {
      Issue.record("not taken")
      return
    }
  }

  @Test func aFileOfVersionOneGetsItsTables() async throws {
    let user = try User("ann")
    do {
      let database = try Database(path: path)
      try database.run(
        """
        CREATE TABLE account (
          name TEXT NOT NULL PRIMARY KEY,
          identity BLOB NOT NULL CHECK (length(identity) = 32),
          version INTEGER NOT NULL,
          list BLOB NOT NULL
        ) STRICT, WITHOUT ROWID
        """)
      try database.setApplicationID(0x5352_4547)
      try database.setUserVersion(1)
      try database.run(
        "INSERT INTO account VALUES ('ann', ?, 1, ?)", user.secret.identity.publicKey.raw.array,
        try user.list(at: registry).encoded)
    }
    for _ in 0..<2 {
      let store = try SQLiteStore(path: path)
      #expect(try await store.account(named: user.name) == user.account(at: registry))
      try await publish(user, 1...3, in: store)
      await store.close()
      #expect(try Database(path: path).userVersion() == 2)
      try Database(path: path).run("DELETE FROM prekey_device")
    }
  }

  /// The files are copied right after an answer, while the store is open and more are being handed out: as after a power
  /// cut. Whatever was answered before is not handed out again from the copy.
  @Test func whatWasHandedOutBeforeACrashIsNotHandedOutAfterIt() async throws {
    let user = try User("bob")
    let store = try SQLiteStore(path: path)
    try await publish(user, 1...100, in: store)
    var handed: Set<OneTimePrekey> = []
    for round in 0..<5 {
      let orders = try (0..<10).map { try order(user, "before-\(round)-\($0)") }
      let answered = try await withThrowingTaskGroup(of: OneTimePrekey?.self) { group in
        for order in orders { group.addTask { try await store.prekeys(for: order, now: now).oneTime } }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(answered.count == 10 && !answered.contains(nil))
      handed.formUnion(answered.compactMap(\.self))

      for name in ["registry.db", "registry.db-wal"] {
        try folder.write("\(round)/\(name)", folder.read(name))
      }
      let copy = try SQLiteStore(path: folder.file("\(round)/registry.db"))
      for index in 0..<100 {
        let outcome = try await copy.prekeys(for: order(user, "after-\(index)"), now: now)
        guard let oneTime = outcome.oneTime else {
          #expect(index == 100 - handed.count)
          break
        }
        #expect(!handed.contains(oneTime))
      }
      await copy.close()
    }
    await store.close()
  }

  /// One FETCH reads the rows of its device and of the last hour, however many others there are.
  @Test func everyQueryHasItsIndex() async throws {
    await (try SQLiteStore(path: path)).close()
    let database = try Database(path: path)
    func plan(_ sql: StaticString, _ values: [any Bindable]) throws -> [String] {
      try database.query(sql, values[0], values[1], values[2]) { (row: borrowing Row) throws(SQLiteError) in
        try row.text(3)
      }
    }
    let last = try plan(
      """
      EXPLAIN QUERY PLAN
      SELECT id, key, requester, spent FROM prekey WHERE owner = ? AND handed > ? AND handed < ? ORDER BY handed
      """, [1, 1, 1])
    #expect(last == ["SEARCH prekey USING INDEX prekey_handed (owner=? AND handed>? AND handed<?)"])
    let next = try database.query(
      "EXPLAIN QUERY PLAN SELECT id, key FROM prekey INDEXED BY prekey_free WHERE owner = ? AND handed IS NULL ORDER BY id LIMIT 1",
      1
    ) { (row: borrowing Row) throws(SQLiteError) in try row.text(3) }
    #expect(next == ["SEARCH prekey USING INDEX prekey_free (owner=?)"])
    let old = try plan(
      "EXPLAIN QUERY PLAN SELECT owner, id FROM prekey WHERE spent = ? AND handed >= ? AND handed <= ?",
      [0, 0, 0])
    #expect(old == ["SEARCH prekey USING COVERING INDEX prekey_age (spent=? AND handed>? AND handed<?)"])
  }

  @Test func whatIsRememberedOfOneDeviceIsBounded() async throws {
    let user = try User("bob")
    let store = try SQLiteStore(path: path)
    try await publish(user, 1...1, in: store)
    var next: UInt32 = 2
    for day in 0..<8 as Range<UInt64> {
      let keys = Publish(request: 1, keys: oneTimePrekeys(next...next + 98))
      _ = try await store.publish(keys, of: user.owner, now: now)
      next += 99
      for index in 0..<100 {
        _ = try await store.prekeys(for: order(user, "day-\(day)-\(index)"), now: now + 7_200 * day)
      }
    }
    let last = Publish(request: 1, keys: oneTimePrekeys(next...next))
    #expect(try await store.publish(last, of: user.owner, now: now) == .published(signed: 1, left: 1))
    await store.close()
    let rows = try Database(path: path).first("SELECT count(*) FROM prekey") {
      (row: borrowing Row) throws(SQLiteError) in try row.integer(0)
    }
    let count = try #require(rows)
    // And the new one.
    #expect(count == 501)
  }
}
