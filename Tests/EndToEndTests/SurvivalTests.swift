import Foundation
import TestSupport
import Testing

@Suite struct SurvivalTests {
  @Test func `peers go on while the registry is dead, and come back to it by themselves`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let (alices, bobs) = (try await alice.daemon(), try await bob.daemon())
    try await alice.run("chat", "bob", "one").expect(0)
    #expect(try await bobs.record("message")["text"] == "one")
    try await registry.program.destroy()
    _ = try await alices.record("offline")
    _ = try await bobs.record("offline")

    // On the session that is there …
    try await alice.run("chat", "bob", "two").expect(0)
    try await bob.run("chat", "alice", "three").expect(0)
    try await alice.run("lookup", "bob").expect(3)
    // … and on a new one, to a peer that is known.
    try await alices.stop()
    try await alice.run("chat", "bob", "four").expect(0)
    for text in ["two", "four"] { #expect(try await bobs.record("message")["text"] == text) }

    let second = try await world.registry(port: registry.port)
    _ = try await bobs.record("online")
    let found = try await alice.run("lookup", "bob").expect(0).record("peer")
    #expect(found.flag("online") == true)
    try await bobs.stop()
    try await second.program.stop()
  }

  @Test func `a client that stops answering goes offline by itself`() async throws {
    let world = try World()
    let registry = try await world.registry(data: "registry", port: 0, "--heartbeat", "1", "--life", "3")
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon()
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("online") == true)
    // Stopped, not ended: its connection stays open.
    bobs.signal(SIGSTOP)
    try await eventually("bob offline") { () async throws -> Bool in
      try await alice.run("lookup", "bob").expect(0).record("peer").flag("online") == false
    }
    bobs.signal(SIGCONT)
    _ = try await bobs.record("online")
    try await alice.run("chat", "bob", "back again").expect(0)
  }

  @Test func `a second login of a profile's copy takes the first one's place`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let first = try await bob.daemon()
    let address = try await alice.run("lookup", "bob").expect(0).record("peer")["address"]
    let copy = Profile(
      name: "bob", home: world.folder.file("copy"), passphrase: bob.passphrase,
      passphraseFile: bob.passphraseFile)
    try FileManager.default.createDirectory(
      atPath: copy.home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    try FileManager.default.copyItem(atPath: bob.keyFile, toPath: copy.keyFile)
    try setPermissions(0o600, of: copy.keyFile)
    try await copy.register(at: registry).expect(0)
    let second = try await copy.daemon()
    try await eventually("the second one's address") { () async throws -> Bool in
      let now = try await alice.run("lookup", "bob").expect(0).record("peer")
      return now.flag("online") == true && now["address"] != address
    }
    #expect(first.isRunning && second.isRunning)
  }

  @Test func `a peer that is killed and starts again is reached again`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let alices = try await alice.daemon()
    for round in 0..<3 {
      let bobs = try await bob.daemon()
      try await alice.run("chat", "bob", "round \(round)").expect(0)
      #expect(try await bobs.record("message")["text"] == "round \(round)")
      try await bobs.destroy()
    }
    #expect(alices.isRunning)
  }

  @Test func `a profile that cannot be written says so`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    // Also for root, whom modes do not stop.
    let database = alice.home + "/profile.db"
    for file in try FileManager.default.contentsOfDirectory(atPath: alice.home)
    where file.hasPrefix("profile.db") {
      try FileManager.default.removeItem(atPath: alice.home + "/" + file)
    }
    try FileManager.default.createDirectory(atPath: database, withIntermediateDirectories: false)
    let outcome = try await alice.run("list")
    #expect([1, 2, 8].contains(outcome.status), "\(outcome)")
    #expect(outcome.records("error").count == 1)
  }

  @Test func `a registry's damaged or newer database is refused`() async throws {
    let world = try World()
    let registry = try await world.registry()
    _ = try await world.user("alice", at: registry)
    try await registry.program.stop()
    let path = world.folder.file("registry/registry.db")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: Data(repeating: 0x5a, count: 4_096))
    try handle.close()
    let again = try Program(
      "secchat-registry", ["--listen", "127.0.0.1:0", "--data", world.folder.file("registry"), "--json"])
    #expect(try await again.finish() == 8, "\(again.report)")
    #expect(again.errors.split(separator: "\n").count == 1)
    #expect(again.lines.isEmpty)
  }

  /// SQLite keeps the user version at byte 60 of the file, the application's id at 68.
  @Test(arguments: [(60, "later version"), (68, "another program's"), (0, "damaged")])
  func `a profile's database that is not its own is refused`(offset: UInt64, complaint: String) async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let path = alice.home + "/profile.db"
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    try handle.seek(toOffset: offset)
    try handle.write(contentsOf: Data([0x12, 0x34, 0x56, 0x78]))
    try handle.close()
    let before = try Data(contentsOf: URL(filePath: path))
    let refused = try await alice.run("list").expect(8)
    #expect(refused.errors.contains(complaint), "\(refused.errors)")
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
  }

  @Test func `signals end both programs cleanly`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    for number in [SIGTERM, SIGINT] {
      let daemon = try await alice.daemon()
      daemon.signal(number)
      #expect(try await daemon.finish() == 0, "\(daemon.report)")
    }
    #expect(try await alice.run("lookup", "alice").expect(0).record("peer").flag("online") == false)
    registry.program.signal(SIGINT)
    #expect(try await registry.program.finish() == 0)
  }
}
