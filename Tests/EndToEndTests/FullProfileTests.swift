import Foundation
import TestSupport
import Testing

/// The disk with a profile's database on it is full, or turns read-only, in the middle of a conversation: that is said in
/// a line, nothing that was accepted is lost, and all goes on when there is room again.
@Suite struct FullProfileTests {
  private struct Scene {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let disk: SmallDisk

    /// - Parameter name: whose profile lies on the small disk.
    init(small name: String) async throws {
      world = try World()
      registry = try await world.registry()
      disk = try SmallDisk(at: world.folder.file(name), size: "3m")
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
    }

    func waiting() async throws -> [String] {
      try await alice.run("outbox").expect(0).records("message").compactMap { $0["text"] }
    }
  }

  private func texts(_ daemon: Program) -> [String] {
    daemon.lines.compactMap { Record($0) }.filter { $0.type == "message" }.compactMap { $0["text"] }
  }

  /// Both databases have the same messages in the same order, all confirmed.
  private func check(_ scene: Scene) throws {
    let (sent, received) = (try MessageRows(of: scene.alice).own, try MessageRows(of: scene.bob).received)
    #expect(sent.map(\.id) == received)
    #expect(sent.allSatisfy { $0.state == MessageRows.delivered }, "\(sent)")
  }

  @Test(.needsRoot) func `the sender's disk is full`() async throws {
    let scene = try await Scene(small: "alice")
    let alice = scene.alice
    let alices = try await alice.daemon()
    try await alice.run("chat", "bob", "1").expect(6)
    try scene.disk.fill()
    // A few may still find room in what the database has already.
    var accepted = ["1"]
    var refused = try await alice.run("chat", "bob", "2")
    while refused.status == 6, accepted.count < 200 {
      accepted.append("\(accepted.count + 1)")
      refused = try await alice.run("chat", "bob", "\(accepted.count + 1)")
    }
    try refused.expect(2)
    let error = try refused.record("error")
    #expect(error["message"] == "the disk is full" && error["hint"]?.isEmpty == false)
    #expect(refused.records("sent").isEmpty)
    #expect(try await scene.waiting() == accepted)

    // He comes, and nothing can be sealed for him: nothing leaves, and nothing is said to have.
    let bobs = try await scene.bob.daemon()
    _ = try await alices.record("error") { $0["message"] == "the disk is full" }
    try await alice.run("chat", "bob", "no room for this", "--timeout", "1").expect(2)
    #expect(try await scene.waiting() == accepted)
    #expect(texts(bobs).isEmpty)
    #expect(!alices.lines.contains { Record($0)?.type == "sent" })

    try scene.disk.empty()
    try await alice.run("chat", "bob", "last", "--timeout", "60").expect(0)
    _ = try await bobs.record("message") { $0["text"] == "last" }
    #expect(texts(bobs) == accepted + ["last"])
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    try await alices.stop()
    try await bobs.stop()
    try check(scene)
  }

  @Test(.needsRoot) func `the receiver's disk is full`() async throws {
    let scene = try await Scene(small: "bob")
    let alice = scene.alice
    let (alices, bobs) = (try await alice.daemon(), try await scene.bob.daemon())
    try await alice.run("chat", "bob", "1").expect(0)
    try scene.disk.fill()
    var texts = ["1"]
    let long = String(repeating: "x", count: 8_000)
    var kept: Outcome
    repeat {
      texts.append("\(texts.count + 1) " + long)
      kept = try await alice.run("chat", "bob", texts[texts.count - 1], "--timeout", "2")
    } while kept.status == 0 && texts.count < 200
    try kept.expect(6)
    #expect(try kept.record("sent")["state"] == "queued")
    #expect(try kept.record("error")["message"] == "bob is busy; the message waits, and goes out by itself")
    _ = try await bobs.record("error") { $0["message"] == "the disk is full" }
    #expect(try await scene.waiting() == [texts[texts.count - 1]])
    // The other way he may answer as soon as he can write.
    try await scene.bob.run("chat", "alice", "no room for this", "--timeout", "1").expect(2)

    try scene.disk.empty()
    texts.append("last")
    try await alice.run("chat", "bob", "last", "--timeout", "60").expect(0)
    _ = try await bobs.record("message") { $0["text"] == "last" }
    #expect(self.texts(bobs) == texts)
    try await scene.bob.run("chat", "alice", "there is room").expect(0)
    #expect(try await alices.record("message")["text"] == "there is room")
    #expect(self.texts(alices) == ["there is room"])
    #expect(!(alices.lines + bobs.lines).contains { Record($0)?.type == "session-reset" })
    try await alices.stop()
    try await bobs.stop()
    let received = try MessageRows(of: scene.bob).received
    #expect(try MessageRows(of: alice).own.map(\.id) == received)
  }

  @Test(.needsRoot) func `the sender's disk turns read-only`() async throws {
    let scene = try await Scene(small: "alice")
    let alice = scene.alice
    try await alice.run("chat", "bob", "1").expect(6)
    // Between two commands: while a file is open for writing the system refuses.
    try #require(scene.disk.makeReadOnly(true))
    let bobs = try await scene.bob.daemon()
    let refused = try await alice.run("chat", "bob", "2").expect(1)
    #expect(try refused.record("error")["message"]?.contains("cannot be written") == true, "\(refused)")
    #expect(refused.records("sent").isEmpty && texts(bobs).isEmpty)
    try #require(scene.disk.makeReadOnly(false))
    try await alice.run("chat", "bob", "3").expect(0)
    _ = try await bobs.record("message") { $0["text"] == "3" }
    #expect(texts(bobs) == ["1", "3"])
    try await bobs.stop()
    try check(scene)
  }

  @Test(.needsRoot) func `the receiver's disk turns read-only`() async throws {
    let scene = try await Scene(small: "bob")
    let (alice, bob) = (scene.alice, scene.bob)
    var bobs = try await bob.daemon()
    let alices = try await alice.daemon()
    try await alice.run("chat", "bob", "1").expect(0)
    try await bobs.stop()
    // Between two starts: while a file is open for writing the system refuses.
    try #require(scene.disk.makeReadOnly(true))
    let refused = try await bob.run("daemon").expect(1)
    let error = try refused.record("error")
    #expect(error["message"]?.contains("cannot be written") == true && error["hint"]?.isEmpty == false)
    let kept = try await alice.run("chat", "bob", "2").expect(6)
    #expect(try kept.record("sent")["state"] == "queued")
    #expect(try await scene.waiting() == ["2"])
    try #require(scene.disk.makeReadOnly(false))
    bobs = try await bob.daemon()
    #expect(try await bobs.record("message")["text"] == "2")
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    try await alices.stop()
    try await bobs.stop()
    try check(scene)
  }
}
