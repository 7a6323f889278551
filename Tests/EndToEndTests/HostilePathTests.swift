import Foundation
import SecchatCrypto
import Synchronization
import TestSupport
import Testing

/// The programs, with somebody on the path between them: he gets errors, and nobody gets anything else. What can be done
/// to a link byte by byte is tried on links and on nodes: PathTests, HostileNetworkTests.
@Suite struct HostilePathTests {
  /// Changes the byte at this place of one side's.
  private static func flip(_ isFromClient: Bool, _ place: Int) -> RecordingProxy.Change {
    { from, offset, bytes in
      guard from == isFromClient, (offset..<offset + bytes.count).contains(place) else { return [bytes] }
      var changed = bytes
      changed[place - offset] ^= 0x10
      return [changed]
    }
  }

  /// Ends the connection, or, where it stalls, passes nothing on, once so many of one side's bytes have passed.
  private static func stop(_ isFromClient: Bool, _ place: Int, stalls: Bool = false) -> RecordingProxy.Change
  {
    { from, offset, bytes in
      guard from == isFromClient, offset + bytes.count > place else { return [bytes] }
      let rest = Array(bytes.prefix(max(0, place - offset)))
      return (rest.isEmpty ? [] : [rest]) + (stalls ? [] : [[]])
    }
  }

  /// One blow, after which no other connection comes about: nothing goes on by itself.
  private static func once(_ change: @escaping RecordingProxy.Change) -> RecordingProxy.Change {
    let isOver = Mutex(false)
    return { from, offset, bytes in
      if offset == 0, isOver.withLock({ $0 }) { return [[]] }
      let changed = change(from, offset, bytes)
      if changed != [bytes] { isOver.withLock { $0 = true } }
      return changed
    }
  }

  /// Alice and bob, both with daemons; what she says to him goes past a proxy.
  private struct Pair {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let path: RecordingProxy
    let alices: Program
    let bobs: Program

    init() async throws {
      world = try World()
      registry = try await world.registry()
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
      // The registry sees bob at 127.0.0.1 and tells that with his port: there the proxy stands, he is next door.
      path = try RecordingProxy(to: "127.0.0.2")
      bobs = try bob.start(words: [
        "daemon", "--listen", "127.0.0.2:\(path.port)", "--accept-files", "always",
      ])
      _ = try await bobs.record("online")
      alices = try await alice.daemon()
    }

    var inbox: [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: bob.home + "/downloads/alice")) ?? []
    }

    var heard: Int { bobs.lines.count { Record($0).map { ["message", "file"].contains($0.type) } ?? false } }
  }

  @Test func `between two programs`() async throws {
    let pair = try await Pair()
    // The opening byte and the first message, 51 bytes; the third, 365 or so; READY, 31; then the message.
    let changes: [RecordingProxy.Change] = [
      Self.flip(true, 0), Self.flip(true, 30), Self.flip(true, 100), Self.flip(true, 430),
      Self.flip(true, 600),
      Self.flip(false, 10), Self.flip(false, 200), Self.stop(true, 20), Self.stop(true, 300),
      Self.stop(true, 460), Self.stop(false, 100), Self.stop(false, 0, stalls: true),
      Self.stop(true, 500, stalls: true),
    ]
    for (index, change) in changes.enumerated() {
      pair.path.change(change)
      let outcome = try await pair.alice.run(
        "chat", "bob", "for your eyes \(index)", "--timeout", index < 11 ? "2" : "0.5")
      try outcome.expect(6)
      #expect(try outcome.record("sent")["state"] == "queued", "\(index)")
      // Whoever waits in a stalled attempt is let go, so that the next is one of its own.
      pair.path.hangUp()
    }
    #expect(pair.heard == 0 && pair.alices.isRunning && pair.bobs.isRunning)
    #expect(pair.path.bytes.range(of: Data("for your eyes".utf8)) == nil)
    // Once the path is clear all of it arrives, in order.
    pair.path.change(nil)
    try await pair.alice.run("chat", "bob", "for your eyes \(changes.count)").expect(0)
    for index in 0...changes.count {
      #expect(try await pair.bobs.record("message")["text"] == "for your eyes \(index)")
    }
    let heard = changes.count + 1
    let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    let file = try pair.world.folder.write("large", content)
    for change in [Self.flip(true, 1_000_000), Self.flip(true, 600), Self.stop(true, 2_000_000)] {
      pair.path.change(Self.once(change))
      let outcome = try await pair.alice.run("send", "bob", file)
      #expect(outcome.records("done").isEmpty)
      try outcome.expect(6)
      let id = try #require(try await pair.alice.run("transfers").expect(0).record("transfer")["id"])
      try await pair.alice.run("transfers", "cancel", id).expect(0)
      #expect(pair.inbox.allSatisfy { $0.hasPrefix(".secchat-") })
      pair.path.hangUp()
    }
    #expect(pair.heard == heard && pair.alices.isRunning && pair.bobs.isRunning)
    #expect(pair.path.bytes.range(of: Data("for your eyes".utf8)) == nil)

    // In pieces, late, and whole.
    pair.path.change { _, _, bytes in
      usleep(2_000)
      return bytes.count > 2_000 ? [bytes] : bytes.map { [$0] }
    }
    try await pair.alice.run("chat", "bob", "slowly").expect(0)
    #expect(try await pair.bobs.record("message")["text"] == "slowly")
    pair.path.change(nil)
    try await pair.alice.run("send", "bob", file).expect(0)
    let path = try #require(try await pair.bobs.record("file")["path"])
    #expect(try Data(contentsOf: URL(filePath: path)) == content)
    #expect(pair.heard == heard + 2)
  }

  @Test func `on the way to the registry`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let path = try RecordingProxy(to: "127.0.0.1", registry.port)
    let alice = try await world.user("alice", at: registry, port: path.port)
    // What is spoilt is not another key than before (4).
    for change in [
      Self.flip(true, 0), Self.flip(true, 20), Self.flip(true, 70), Self.flip(true, 120),
      Self.flip(false, 20),
      Self.flip(false, 60), Self.stop(true, 40), Self.stop(false, 0), Self.stop(false, 60),
    ] {
      path.change(change)
      let outcome = try await alice.run("list")
      #expect(outcome.records("peer").isEmpty)
      try outcome.expect(3)
    }
    path.change { _, _, bytes in bytes.map { [$0] } }
    try await alice.run("list").expect(0)
    path.change(Self.flip(true, 200))
    let carol = try await world.identity("carol")
    try await carol.register(at: registry, port: path.port).expect(3)
    path.change(nil)
    try await alice.run("lookup", "carol").expect(1)
    try await carol.register(at: registry, port: path.port).expect(0)
    try await alice.run("lookup", "carol").expect(0)
  }

  @Test func `what was recorded runs no second time`() async throws {
    let pair = try await Pair()
    let toRegistry = try RecordingProxy(to: "127.0.0.1", pair.registry.port)
    let carol = try await pair.world.user("carol", at: pair.registry, port: toRegistry.port)
    try await carol.run("list").expect(0)
    try await pair.alice.run("chat", "bob", "once").expect(0)
    try await pair.alice.run("send", "bob", try pair.world.folder.write("file", "text")).expect(0)
    _ = try await pair.bobs.record("file")
    #expect(pair.heard == 2)
    for (port, host, recorded) in [
      (pair.path.port, "127.0.0.2", pair.path.fromClients),
      (pair.registry.port, "127.0.0.1", toRegistry.fromClients),
    ] {
      for bytes in recorded {
        #expect(bytes.count > 51)
        // Past another proxy, which keeps no more than what it is sent here.
        let proxy = try RecordingProxy(to: host, port)
        let socket = try PlainSocket(connectingTo: proxy.port)
        socket.send(bytes)
        let answer = try await eventually("the end of a connection") { socket.drained }
        // The second message of the handshake, and nothing after it.
        #expect(answer.count == 2 + Int(answer.first ?? 0) << 8 + Int(answer.dropFirst().first ?? 0))
      }
    }
    try await pair.alice.run("chat", "bob", "and on").expect(0)
    #expect(try await pair.bobs.record("message") { $0["text"] == "and on" }.type == "message")
    #expect(pair.heard == 3)
  }
}
