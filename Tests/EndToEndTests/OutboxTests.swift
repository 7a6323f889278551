import Foundation
import TestSupport
import Testing

/// What is written to somebody who is not there: kept, and sent by itself, once and in order.
@Suite struct OutboxTests {
  /// A registry, alice and bob, who has been written to once and is away.
  private struct Scene {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile

    init() async throws {
      world = try World()
      registry = try await world.registry()
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
    }

    /// Writes to bob, who is away.
    @discardableResult
    func keep(_ text: String, location: SourceLocation = #_sourceLocation) async throws -> String {
      let outcome = try await alice.run("chat", "bob", text).expect(6, location: location)
      let sent = try outcome.record("sent", location: location)
      #expect(sent["state"] == "queued", sourceLocation: location)
      return try #require(sent["id"], sourceLocation: location)
    }

    /// What waits for bob, in its order.
    func waiting() async throws -> [String] {
      try await alice.run("outbox").expect(0).records("message").compactMap { $0["text"] }
    }
  }

  /// The texts that a daemon has printed, and nothing but these.
  private func texts(_ daemon: Program) -> [String] {
    daemon.lines.compactMap { Record($0) }.filter { $0.type == "message" }.compactMap { $0["text"] }
  }

  @Test func `what was written to one who is away arrives in order when he comes`() async throws {
    let scene = try await Scene()
    let first = try await scene.keep("one")
    let alices = try await scene.alice.daemon()
    try await scene.keep("two")
    try await scene.keep("three")
    let outbox = try await scene.alice.run("outbox").expect(0).records("message")
    #expect(outbox.map { $0["text"] } == ["one", "two", "three"])
    #expect(outbox.allSatisfy { $0["state"] == "queued" && $0["to"] == "bob" && $0["from"] == "alice" })
    #expect(outbox.first?["id"] == first)

    let bobs = try await scene.bob.daemon()
    for text in ["one", "two", "three"] { #expect(try await bobs.record("message")["text"] == text) }
    // Alice is told, and nothing is left.
    _ = try await alices.record("sent") { $0["id"] == first && $0["state"] == "delivered" }
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    try await scene.alice.run("chat", "bob", "four").expect(0)
    _ = try await bobs.record("message")
    #expect(texts(bobs) == ["one", "two", "three", "four"])
    try await alices.stop()
    try await bobs.stop()
  }

  @Test func `it waits through restarts of everybody, and finds bob at another address`() async throws {
    let scene = try await Scene()
    let before = try await scene.bob.daemon("--listen", "127.0.0.1:0")
    try await scene.alice.run("chat", "bob", "before").expect(0)
    #expect(try await before.record("message")["text"] == "before")
    try await before.destroy()

    var alices = try await scene.alice.daemon()
    try await scene.keep("one")
    try await alices.destroy()
    try await scene.registry.program.destroy()
    // The registry is away: bob is known, so it is kept all the same.
    try await scene.keep("two")
    alices = try await scene.alice.daemon("--listen", "127.0.0.1:0", online: false)
    _ = try await alices.record("offline")
    try await scene.keep("three")
    try await alices.stop()
    alices = try await scene.alice.daemon(online: false)
    _ = try await alices.record("offline")
    #expect(try await scene.waiting() == ["one", "two", "three"])

    let registry = try await scene.world.registry(port: scene.registry.port)
    let bobs = try await scene.bob.daemon("--listen", "127.0.0.1:0")
    for text in ["one", "two", "three"] { #expect(try await bobs.record("message")["text"] == text) }
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    #expect(texts(bobs) == ["one", "two", "three"])
    try await alices.stop()
    try await bobs.stop()
    try await registry.program.stop()
    let rows = (try MessageRows(of: scene.alice), try MessageRows(of: scene.bob))
    #expect(rows.0.own.map(\.id) == rows.1.received)
    #expect(rows.0.own.allSatisfy { $0.state == MessageRows.delivered })
  }

  @Test func `while the registry is away he is looked for where he was`() async throws {
    let scene = try await Scene()
    let before = try await scene.bob.daemon("--listen", "127.0.0.1:0")
    try await scene.alice.run("chat", "bob", "before").expect(0)
    let found = try await scene.alice.run("lookup", "bob").expect(0).record("peer")
    let address = try #require(found["address"])
    try await before.stop()
    let alices = try await scene.alice.daemon()
    try await scene.keep("one")
    try await scene.registry.program.destroy()
    _ = try await alices.record("offline")
    let bobs = try await scene.bob.daemon("--listen", address, online: false)
    #expect(try await bobs.record("message")["text"] == "one")
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    #expect(texts(bobs) == ["one"])
    try await alices.stop()
    try await bobs.stop()
  }

  @Test func `what has not left can be taken back`() async throws {
    let scene = try await Scene()
    var ids: [String] = []
    for text in ["one", "two", "three"] { ids.append(try await scene.keep(text)) }
    try await scene.alice.run("outbox", "cancel", ids[1]).expect(0)
    #expect(try await scene.waiting() == ["one", "three"])
    try await scene.alice.run("outbox", "cancel", ids[1]).expect(1)
    try await scene.alice.run("outbox", "cancel", "nothing").expect(1)
    try await scene.alice.run("outbox", "cancel").expect(1)
    let alices = try await scene.alice.daemon()
    // By its first digits, through the daemon.
    try await scene.alice.run("outbox", "cancel", String(ids[0].prefix(12))).expect(0)
    let bobs = try await scene.bob.daemon()
    #expect(try await bobs.record("message")["text"] == "three")
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    // What has arrived cannot be taken back.
    try await scene.alice.run("outbox", "cancel", ids[2]).expect(1)
    try await scene.alice.run("chat", "bob", "four").expect(0)
    _ = try await bobs.record("message")
    #expect(texts(bobs) == ["three", "four"])
    try await alices.stop()
  }

  @Test func `as long as one wishes to wait`() async throws {
    let scene = try await Scene()
    try await scene.alice.run("chat", "bob", "x", "--wait", "soon").expect(1)
    func chat(_ text: String, _ wait: String, _ timeout: String = "20") async throws -> Outcome {
      try await scene.alice.run("chat", "bob", text, "--wait", wait, "--timeout", timeout)
    }
    // Away: to be kept is enough for one of them.
    let queued = try await chat("one", "queued").expect(0)
    #expect(try queued.record("sent")["state"] == "queued")
    for wait in ["sent", "delivered", "read"] {
      let kept = try await chat(wait, wait).expect(6)
      #expect(try kept.record("sent")["state"] == "queued")
      #expect(try kept.record("error")["message"]?.hasPrefix("bob is offline; the message waits") == true)
    }
    let bobs = try await scene.bob.daemon()
    let alices = try await scene.alice.daemon()
    for text in ["one", "sent", "delivered", "read"] {
      #expect(try await bobs.record("message")["text"] == text)
    }
    // There.
    #expect(["sent", "delivered"].contains(try await chat("two", "sent").expect(0).record("sent")["state"]))
    #expect(try await chat("three", "delivered").expect(0).record("sent")["state"] == "delivered")
    let unread = try await chat("four", "read", "0.5").expect(6)
    #expect(try unread.record("sent")["state"] == "delivered")
    #expect(try unread.record("error")["message"] == "bob has the message; nobody has read it yet")
    for text in ["two", "three", "four"] { #expect(try await bobs.record("message")["text"] == text) }

    // There, and silent: what has left is not confirmed.
    bobs.signal(SIGSTOP)
    let begun = ContinuousClock.now
    #expect(try await chat("five", "sent").expect(0).record("sent")["state"] == "sent")
    #expect(ContinuousClock.now - begun < .seconds(15), "it waited for more than it was asked to")
    let silent = try await chat("six", "delivered", "1").expect(6)
    #expect(try silent.record("sent")["state"] == "queued")
    let hint = try silent.record("error")["message"]
    #expect(hint == "bob did not confirm in time; the message waits, and goes out by itself")
    let outbox = try await scene.alice.run("outbox").expect(0).records("message")
    #expect(outbox.map { $0["text"] } == ["five", "six"] && outbox.first?["state"] == "sent")
    // What may be there already cannot be taken back.
    try await scene.alice.run("outbox", "cancel", try #require(outbox.first?["id"])).expect(1)
    bobs.signal(SIGCONT)
    for text in ["five", "six"] { #expect(try await bobs.record("message")["text"] == text) }
    let last = try #require(outbox.last?["id"])
    _ = try await alices.record("sent") { $0["id"] == last && $0["state"] == "delivered" }
    try await eventually("nothing waits") { try await scene.waiting().isEmpty }
    #expect(texts(bobs).suffix(5) == ["two", "three", "four", "five", "six"])
    try await alices.stop()
    try await bobs.stop()
  }

  /// A program that has lost its daemon asks the next one, under the same id.
  @Test func `asked for twice it is sent once`() async throws {
    let scene = try await Scene()
    var alices = try await scene.alice.daemon()
    let (first, second) = (String(repeating: "ab", count: 16), String(repeating: "cd", count: 16))
    for _ in 0..<2 {
      let kept = try await ControlSocket(of: scene.alice).chat("bob", first, "one", timeout: 5)
      #expect(kept.status == 6 && kept.records.first?["state"] == "queued", "\(kept)")
    }
    try await alices.destroy()
    alices = try await scene.alice.daemon()
    let again = try await ControlSocket(of: scene.alice).chat("bob", first, "one", timeout: 5)
    #expect(again.status == 6)
    #expect(try await scene.waiting() == ["one"])

    let bobs = try await scene.bob.daemon()
    #expect(try await bobs.record("message")["id"] == first)
    for id in [second, first, second] {
      let begun = ContinuousClock.now
      let done = try await ControlSocket(of: scene.alice).chat("bob", id, "two", timeout: 60)
      #expect(done.status == 0 && done.records.first?["state"] == "delivered", "\(done)")
      // That it has come through is known, and not waited for again.
      #expect(ContinuousClock.now - begun < .seconds(30))
    }
    // Both at once.
    let third = String(repeating: "ef", count: 16)
    async let one = ControlSocket(of: scene.alice).chat("bob", third, "three", timeout: 20)
    async let other = ControlSocket(of: scene.alice).chat("bob", third, "three", timeout: 20)
    #expect(try await [one.status, other.status] == [0, 0])
    try await scene.alice.run("chat", "bob", "four").expect(0)
    _ = try await bobs.record("message") { $0["text"] == "four" }
    #expect(texts(bobs) == ["one", "two", "three", "four"])
    try await alices.stop()
    try await bobs.stop()
  }

  @Test func `another identity key holds what waits until it is trusted`() async throws {
    let scene = try await Scene()
    let alice = scene.alice
    for text in ["one", "two"] { try await scene.keep(text) }
    // A registry that gives bob's name to another.
    try await scene.registry.program.stop()
    for file in try FileManager.default.contentsOfDirectory(atPath: scene.world.folder.file("registry"))
    where file.hasPrefix("registry.db") {
      try FileManager.default.removeItem(atPath: scene.world.folder.file("registry/" + file))
    }
    let registry = try await scene.world.registry(port: scene.registry.port)
    try await alice.register(at: registry).expect(0)
    let other = try await scene.world.identity("other")
    try await other.register(at: registry, as: "bob").expect(0)
    let others = try await other.daemon()

    let alices = try await alice.daemon()
    _ = try await alices.record("key-change")
    let stopped = try await alice.run("chat", "bob", "three").expect(4)
    #expect(stopped.records("sent").isEmpty)
    #expect(try stopped.record("key-change")["verdict"] == "unexplained")
    #expect(try await scene.waiting() == ["one", "two"])
    // Nor by a restart.
    try await alices.stop()
    let next = try await alice.daemon()
    try await alice.run("chat", "bob", "four").expect(4)
    #expect(try await scene.waiting() == ["one", "two"])
    #expect(!others.lines.contains { Record($0)?.type == "message" })

    try await alice.run("trust", "bob", try await other.fingerprint()).expect(0)
    for text in ["one", "two"] { #expect(try await others.record("message")["text"] == text) }
    try await alice.run("chat", "bob", "five").expect(0)
    _ = try await others.record("message")
    #expect(texts(others) == ["one", "two", "five"])
    #expect(try await scene.waiting().isEmpty)
    try await next.stop()
  }

  @Test func `commands alone, without a daemon on the sender's side`() async throws {
    let scene = try await Scene()
    try await scene.keep("one")
    let lines = (2...40).map { "\($0)" }
    let kept = try await scene.alice.run(
      "chat", "bob", "-", "--wait", "queued", input: lines.joined(separator: "\n") + "\n"
    ).expect(0)
    #expect(kept.records("sent").allSatisfy { $0["state"] == "queued" })
    #expect(try await scene.waiting() == ["one"] + lines)
    let bobs = try await scene.bob.daemon()
    // A command that only looks sends nothing; one that writes sends what waits before it.
    #expect(try await scene.waiting() == ["one"] + lines)
    try await scene.alice.run("chat", "bob", "last").expect(0)
    _ = try await bobs.record("message") { $0["text"] == "last" }
    #expect(texts(bobs) == ["one"] + lines + ["last"])
    #expect(try await scene.waiting().isEmpty)
    try await bobs.stop()
  }
}
