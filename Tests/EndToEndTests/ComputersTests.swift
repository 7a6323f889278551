import Foundation
import TestSupport
import Testing

/// The registry and two peers, each on a computer of its own: what loopback forgives, a network does not.
@Suite struct ComputersTests {
  enum Family: CaseIterable {
    case v4, v6

    /// The address of the computer of that number.
    func address(_ number: Int) -> String {
      switch self {
      case .v4: "10.77.0.\(number)/24"
      case .v6: "fd77:5ecc::\(number)/64"
      }
    }
  }

  /// A registry, alice and bob.
  private struct Place {
    let world: World
    let family: Family
    let computers: (registry: Computer, alice: Computer, bob: Computer)
    let registry: Registry
    let alice: Profile
    let bob: Profile

    /// - Parameter isQuick: whether the registry notices within seconds that somebody has gone, and they that it has.
    init(_ family: Family, isQuick: Bool = false) async throws {
      self.family = family
      world = try World()
      let network = try Network()
      computers = (
        try network.computer("registry", family.address(1)), try network.computer("alice", family.address(2)),
        try network.computer("bob", family.address(3))
      )
      registry = try await world.registry(
        data: "registry", port: 0, "--heartbeat", isQuick ? "1" : "30", "--life", isQuick ? "3" : "90",
        on: computers.registry)
      alice = try await world.user("alice", at: registry, on: computers.alice)
      bob = try await world.user("bob", at: registry, on: computers.bob)
    }

    var inbox: String { bob.home + "/downloads/alice" }
  }

  @Test(.needsNamespaces, arguments: Family.allCases)
  func `the main job from computer to computer`(family: Family) async throws {
    let place = try await Place(family)
    let (alice, bob) = (place.alice, place.bob)
    let bobs = try await bob.daemon("--accept-files", "always")
    let found = try await alice.run("lookup", "bob").expect(0).record("peer")
    #expect(found["address"]?.hasPrefix(place.computers.bob.host + ":") == true, "\(found)")
    #expect(found["key"] == (try await bob.run("key", "show").expect(0).record("identity")["key"]))

    try await alice.run("chat", "bob", "across the network").expect(0)
    #expect(try await bobs.record("message")["text"] == "across the network")
    let alices = try await alice.daemon()
    try await bob.run("chat", "alice", "and back").expect(0)
    #expect(try await alices.record("message")["text"] == "and back")

    let number = try await alice.run("verify", "bob").expect(0).record("safety-number")["number"]
    let digits = try #require(number)
    let verified = try await bob.run("verify", "alice", digits).expect(0).record("safety-number")
    #expect(verified.flag("verified") == true)
    let wrong = String(digits.reversed())
    try await alice.run("verify", "bob", wrong == digits ? String(repeating: "0", count: 60) : wrong).expect(
      4)

    let file = try place.world.folder.write(
      "file", Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 * 7) }))
    let tree = place.world.folder.file("tree")
    try FileManager.default.createDirectory(atPath: tree + "/inside", withIntermediateDirectories: true)
    try Data("a leaf".utf8).write(to: URL(filePath: tree + "/inside/leaf"))
    try await alice.run("send", "bob", file, tree).expect(0)
    let names = [try await bobs.record("file")["name"], try await bobs.record("file")["name"]]
    #expect(Set(names) == ["file", "tree"])
    #expect(FileManager.default.contentsEqual(atPath: file, andPath: place.inbox + "/file"))
    #expect(FileManager.default.contentsEqual(atPath: tree, andPath: place.inbox + "/tree"))

    try await alice.run("lookup", "nobody").expect(1)
    try await bobs.stop()
    let kept = try await alice.run("chat", "bob", "nobody there").expect(6).record("sent")
    #expect(kept["state"] == "queued")
    try await place.registry.program.stop()
    try await alice.run("lookup", "bob").expect(3)
    try await alices.stop()
  }

  /// For three seconds nothing comes through: what was under way goes on by itself.
  @Test(.long, .needsNamespaces, arguments: Family.allCases)
  func `a cable out in the middle, and in again`(family: Family) async throws {
    let place = try await Place(family)
    let (alice, bob) = (place.alice, place.bob)
    let bobs = try await bob.daemon("--accept-files", "always")
    let alices = try await alice.daemon()
    let bytes = Data((0..<6_000_000).map { UInt8(truncatingIfNeeded: $0 * 13 >> 3) })
    let path = try place.world.folder.write("file", bytes)
    let sending = try alice.start(words: ["send", "bob", path, "--limit-rate", "1M"])
    _ = try await sending.record("progress")
    try place.computers.bob.plug(false)
    let talking = try alice.start(words: ["chat", "bob", "into the silence", "--timeout", "60"])
    try await Task.sleep(for: .seconds(3))
    #expect(sending.isRunning && talking.isRunning)
    try place.computers.bob.plug(true)
    #expect(try await talking.finish() == 0, "\(talking.report)")
    #expect(try await sending.finish(within: .seconds(120)) == 0, "\(sending.report)")
    let received = try #require(try await bobs.record("file")["path"])
    #expect(try Data(contentsOf: URL(filePath: received)) == bytes)
    let texts = bobs.lines.compactMap { Record($0) }.filter { $0.type == "message" }.map { $0["text"] }
    #expect(texts == ["into the silence"])
    try await alices.stop()
    try await bobs.stop()
  }

  @Test(.long, .needsNamespaces)
  func `a cable out for good ends what was under way, and it goes on when it is in again`() async throws {
    let place = try await Place(.v4)
    let (alice, bob) = (place.alice, place.bob)
    let bobs = try await bob.daemon("--accept-files", "always")
    let path = try place.world.folder.write("file", Data(repeating: 7, count: 40_000_000))
    let sending = try alice.start(words: ["send", "bob", path, "--limit-rate", "2M"])
    _ = try await sending.record("progress")
    try place.computers.bob.plug(false)
    #expect(try await sending.finish(within: .seconds(180)) == 6, "\(sending.report)")
    #expect(sending.lines.compactMap { Record($0) }.contains { $0.type == "done" } == false)
    try await alice.run("chat", "bob", "nobody hears").expect(6)
    #expect(try !FileManager.default.contentsOfDirectory(atPath: place.inbox).contains("file"))

    try place.computers.bob.plug(true)
    _ = try await bobs.record("online", within: .seconds(120))
    try await alice.run("chat", "bob", "there again").expect(0)
    for text in ["nobody hears", "there again"] { #expect(try await bobs.record("message")["text"] == text) }
    let done = try await alice.run("send", "bob", path).expect(0).record("done")
    #expect(try #require(done.number("resumed_from")) > 0)
    #expect(try await bobs.record("file")["path"] == place.inbox + "/file")
  }

  /// Cut off, then killed: a link between peers outlives both, and the peers come back to the registry by themselves.
  @Test(.long, .needsNamespaces) func `the registry gone twice, and back`() async throws {
    let place = try await Place(.v4, isQuick: true)
    let (alice, bob) = (place.alice, place.bob)
    let (alices, bobs) = (try await alice.daemon(), try await bob.daemon("--accept-files", "always"))
    let bytes = Data((0..<15_000_000).map { UInt8(truncatingIfNeeded: $0 * 11 >> 2) })
    let path = try place.world.folder.write("file", bytes)
    // It lasts longer than all of this: that it arrives shows that its link has stood.
    let sending = try alice.start(words: ["send", "bob", path, "--limit-rate", "200k"])
    _ = try await sending.record("progress")

    try place.computers.registry.plug(false)
    for daemon in [alices, bobs] { _ = try await daemon.record("offline") }
    try await bob.run("chat", "alice", "without a registry").expect(0)
    #expect(try await alices.record("message")["text"] == "without a registry")
    try place.computers.registry.plug(true)
    for daemon in [alices, bobs] { _ = try await daemon.record("online", within: .seconds(120)) }

    try await place.registry.program.destroy()
    for daemon in [alices, bobs] { _ = try await daemon.record("offline") }
    try await alice.run("lookup", "bob").expect(3)
    let again = try await place.world.registry(port: place.registry.port, on: place.computers.registry)
    for daemon in [alices, bobs] { _ = try await daemon.record("online", within: .seconds(120)) }
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("online") == true)

    #expect(sending.isRunning, "the file was too short")
    #expect(try await sending.finish(within: .seconds(180)) == 0, "\(sending.report)")
    let received = try #require(try await bobs.record("file")["path"])
    #expect(try Data(contentsOf: URL(filePath: received)) == bytes)
    try await again.program.stop()
  }

  /// Nobody says goodbye: the old link leads nowhere, and is held for alive at first.
  @Test(.long, .needsNamespaces, arguments: Family.allCases)
  func `a peer whose address changed is found at the new one`(family: Family) async throws {
    let place = try await Place(family, isQuick: true)
    let (alice, bob) = (place.alice, place.bob)
    let (alices, bobs) = (try await alice.daemon(), try await bob.daemon())
    try await alice.run("chat", "bob", "before").expect(0)
    try await bob.run("chat", "alice", "before").expect(0)

    let new = Computer.host(family.address(99))
    try place.computers.bob.move(from: family.address(3), to: family.address(99))
    // An unanswered beat, not the minutes that a silent connection may last, is what the registry's link gets.
    let online = try await bobs.record("online", within: .seconds(30))
    #expect(online["address"]?.hasPrefix(new + ":") == true, "\(online)")
    let found = try await alice.run("lookup", "bob").expect(0).record("peer")
    #expect(found["address"]?.hasPrefix(new + ":") == true, "\(found)")
    // The first message on the old link may find nobody; that is told, and it goes the new way by itself.
    let first = try await alice.run("chat", "bob", "after")
    #expect(first.status == 0 || first.status == 6, "\(first)")
    try await alice.run("chat", "bob", "after that").expect(0)
    for text in ["after", "after that"] {
      let message = try await bobs.record("message") { $0["text"] != "before" }
      #expect(message["from"] == "alice" && message["text"] == text)
    }
    try await bob.run("chat", "alice", "from elsewhere").expect(0)
    #expect(try await alices.record("message") { $0["text"] == "from elsewhere" }["from"] == "bob")
    for daemon in [alices, bobs] {
      let changes = daemon.lines.compactMap { Record($0) }.filter { $0.type == "key-change" }
      #expect(changes.isEmpty, "another address is no other key")
    }
  }
}
