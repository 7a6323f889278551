import Foundation
import SecchatSQLite
import TestSupport
import Testing

/// A profile whose database was put back to an older copy, or that is used in two copies: both users see it, and what is
/// written from then on arrives, once and in order. All of it within the hour in which the registry gives the same prekey
/// to who asks again.
@Suite struct RollbackTests {
  /// Alice, whose daemon runs all the time, and bob, who comes and goes.
  private struct Scene {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let alices: Program
    /// What alice's programs and the registry say to each other.
    let toRegistry: RecordingProxy
    /// Bob's database at a time.
    private let copy: String

    init() async throws {
      world = try World()
      registry = try await world.registry()
      toRegistry = try RecordingProxy(to: "127.0.0.1", registry.port, keeping: false)
      alice = try await world.user("alice", at: registry, port: toRegistry.port)
      bob = try await world.user("bob", at: registry)
      alices = try await alice.daemon()
      copy = world.folder.file("copy.db")
    }

    private var database: String { bob.home + "/profile.db" }
    private var logs: [String] { ["-wal", "-shm"].map { database + $0 } }

    /// Keeps a copy of bob's database, which no program has open.
    func keepCopy() throws {
      for log in logs { try #require(!FileManager.default.fileExists(atPath: log)) }
      try FileManager.default.copyItem(atPath: database, toPath: copy)
    }

    /// Puts the copy in the place of bob's database.
    func rollBack() throws {
      for file in [database] + logs where FileManager.default.fileExists(atPath: file) {
        try FileManager.default.removeItem(atPath: file)
      }
      try FileManager.default.copyItem(atPath: copy, toPath: database)
      try setPermissions(0o600, of: database)
    }
  }

  private enum Writer: CaseIterable {
    case alice, bob
  }

  private let both: Set<Writer> = [.alice, .bob]

  /// A message to the other; it is confirmed.
  private func write(_ text: String, _ from: Profile, _ to: Profile) async throws {
    try await from.run("chat", to.name, text, "--timeout", "40").expect(0)
  }

  /// Two messages each way, begun by `first`; says what each has received by it.
  private func talk(
    _ name: String, _ scene: Scene, _ bob: Profile, first: Writer
  ) async throws -> (alice: [String], bob: [String]) {
    for round in 1...2 {
      for writer in first == .alice ? [Writer.alice, .bob] : [.bob, .alice] {
        switch writer {
        case .alice: try await write("\(name): to bob \(round)", scene.alice, bob)
        case .bob: try await write("\(name): to alice \(round)", bob, scene.alice)
        }
      }
    }
    return ((1...2).map { "\(name): to alice \($0)" }, (1...2).map { "\(name): to bob \($0)" })
  }

  /// Bob comes, both write, and he goes. Says who was told of a reset.
  private func meet(
    _ name: String, _ scene: Scene, as bob: Profile? = nil, first: Writer = .alice
  ) async throws -> Set<Writer> {
    let bob = bob ?? scene.bob
    let before = resets(scene.alices)
    let earlier = texts(scene.alices)
    let bobs = try await bob.daemon()
    let expected = try await talk(name, scene, bob, first: first)
    try await eventually("\(name): alice has all of it\n\(scene.alices.report)") {
      texts(scene.alices).count >= earlier.count + expected.alice.count
    }
    try await bobs.stop()
    #expect(texts(scene.alices) == earlier + expected.alice, "\(name)")
    #expect(texts(bobs) == expected.bob, "\(name)")
    var told: Set<Writer> = resets(scene.alices) > before ? [.alice] : []
    if resets(bobs) > 0 { told.insert(.bob) }
    return told
  }

  private func texts(_ daemon: Program) -> [String] {
    daemon.lines.compactMap { Record($0) }.filter { $0.type == "message" }.compactMap { $0["text"] }
  }

  private func resets(_ daemon: Program) -> Int {
    daemon.lines.count { Record($0)?.type == "session-reset" }
  }

  @Test(arguments: Writer.allCases) private func `a profile that is put back`(first: Writer) async throws {
    let scene = try await Scene()
    #expect(try await meet("before", scene) == [])
    try scene.keepCopy()
    #expect(try await meet("in between", scene, first: first) == [], "nothing has happened yet")
    // Twice, so that prekeys which the first time has used up are asked for again.
    for time in 1...2 {
      try scene.rollBack()
      #expect(try await meet("put back \(time)", scene, first: first) == both)
      #expect(try await meet("healed \(time)", scene, first: first) == [], "it does not end")
    }
    try await scene.alices.stop()
  }

  /// A copy from before he was online for the first time: bob knows of no session, and of none of the prekeys that the
  /// registry has of him.
  @Test(arguments: Writer.allCases) private func `a profile that is put back to before the first message`(
    first: Writer
  ) async throws {
    let scene = try await Scene()
    try scene.keepCopy()
    #expect(try await meet("before", scene) == [])
    for time in 1...2 {
      try scene.rollBack()
      #expect(try await meet("put back \(time)", scene, first: first) == both)
      #expect(try await meet("healed \(time)", scene, first: first) == [], "it does not end")
    }
    try await scene.alices.stop()
  }

  /// The copy does not know that a message has been delivered, and sends it again.
  @Test func `what waited in the old copy, and has come since, comes once`() async throws {
    let scene = try await Scene()
    #expect(try await meet("before", scene) == [])
    try await scene.alices.stop()
    try await scene.bob.run("chat", "alice", "kept").expect(6)
    try scene.keepCopy()
    let alices = try await scene.alice.daemon()
    var bobs = try await scene.bob.daemon()
    #expect(try await alices.record("message")["text"] == "kept")
    try await write("from alice", scene.alice, scene.bob)
    try await write("from bob", scene.bob, scene.alice)
    try await bobs.stop()

    try scene.rollBack()
    bobs = try await scene.bob.daemon()
    try await write("after", scene.bob, scene.alice)
    try await write("after", scene.alice, scene.bob)
    _ = try await alices.record("message") { $0["text"] == "after" }
    try await bobs.stop()
    try await alices.stop()
    #expect(texts(alices) == ["kept", "from bob", "after"])
    #expect(texts(bobs) == ["after"])
    #expect(resets(alices) > 0 && resets(bobs) > 0)
    let history = try await scene.bob.run("history").expect(0).records("message")
    #expect(history.suffix(3).map { $0["text"] } == ["kept", "after", "after"])
    #expect(history.suffix(3).map { $0["state"] } == ["delivered", "delivered", nil])
  }

  @Test(arguments: Writer.allCases) private func `a profile that runs in two copies, in turn`(
    first: Writer
  ) async throws {
    let scene = try await Scene()
    #expect(try await meet("before", scene) == [])
    var clone = scene.bob
    clone = Profile(
      name: clone.name, home: scene.world.folder.file("clone"), passphrase: clone.passphrase,
      passphraseFile: clone.passphraseFile)
    try FileManager.default.copyItem(atPath: scene.bob.home, toPath: clone.home)
    // Which of the two comes first is as good as the only one.
    #expect(try await meet("the copy", scene, as: clone, first: first) == [])
    for time in 1...2 {
      #expect(try await meet("the original \(time)", scene, first: first) == both)
      #expect(try await meet("the copy \(time)", scene, as: clone, first: first) == both)
    }
    #expect(try await meet("the copy alone", scene, as: clone, first: first) == [], "it does not end")
    try await scene.alices.stop()
  }

  /// Alice has used a prekey of hers up, and could not say so: the registry gives it to bob again, who has forgotten that he
  /// had it.
  @Test func `a prekey that is gone, and is given again within the hour`() async throws {
    let scene = try await Scene()
    func handed() throws -> [(id: Int64, isSpent: Bool)] {
      let database = try Database(
        path: scene.world.folder.file("registry/registry.db"), options: .init(readOnly: true))
      return try database.query(
        """
        SELECT prekey.id, spent FROM prekey JOIN prekey_device ON owner = prekey_device.id
        WHERE name = 'alice' AND handed IS NOT NULL ORDER BY handed
        """
      ) { (row: borrowing Row) throws(SQLiteError) in (try row.integer(0), try row.integer(1) == 1) }
    }
    try await eventually("alice has told her prekeys") { () async throws -> Bool in
      let database = try Database(
        path: scene.world.folder.file("registry/registry.db"), options: .init(readOnly: true))
      return try database.first("SELECT count(*) FROM prekey") {
        (row: borrowing Row) throws(SQLiteError) in try row.integer(0)
      } == 100
    }
    try scene.keepCopy()
    // She begins, with a prekey of his: now she knows him, and need not ask the registry who he is.
    #expect(try await meet("before", scene) == [])
    try scene.rollBack()
    scene.toRegistry.change { isFromClient, _, bytes in isFromClient ? [] : [bytes] }
    var bobs = try await scene.bob.daemon()
    try await write("put back", scene.bob, scene.alice)
    try await scene.alices.destroy()
    scene.toRegistry.change(nil)
    try await bobs.stop()
    let first = try #require(try handed().first)
    #expect(try handed().count == 1 && !first.isSpent)

    try scene.rollBack()
    let alices = try await scene.alice.daemon()
    bobs = try await scene.bob.daemon()
    try await write("after", scene.bob, scene.alice)
    try await write("after", scene.alice, scene.bob)
    #expect(try await alices.record("message")["text"] == "after")
    #expect(try await bobs.record("message")["text"] == "after")
    // It was given again: bob has said of it that it is no use, or alice has replaced them all for it.
    #expect(try !handed().contains { $0.id == first.id && !$0.isSpent })
    #expect(resets(alices) > 0 && resets(bobs) > 0)
    try await alices.stop()
    try await bobs.stop()
    #expect(texts(alices) == ["after"] && texts(bobs) == ["after"])
  }
}
