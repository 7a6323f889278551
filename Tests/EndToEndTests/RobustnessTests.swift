import Foundation
import TestSupport
import Testing

/// What strangers on the network, a full disk and other address families do to the programs.
@Suite struct RobustnessTests {
  /// What somebody might send who speaks another protocol, or none.
  private static let garbage: [Data] = [
    Data(), Data([0]), Data([0, 0]), Data([0, 1, 0]),
    Data([0xff, 0xff]) + Data(repeating: 0xff, count: 65_535),
    Data("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), Data(repeating: 0, count: 100_000),
    Data([0, 48]) + Data((0..<48).map { UInt8($0) }), Data([0, 32]) + Data(repeating: 9, count: 32),
  ]

  @Test func `garbage to both ports`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let bob = try await world.user("bob", at: registry)
    let bobs = try await bob.daemon("--listen", "127.0.0.1:0")
    let address = try #require(try await alice.run("lookup", "bob").expect(0).record("peer")["address"])
    let peerPort = try #require(Int(address.split(separator: ":").last ?? ""))
    var open: [PlainSocket] = []
    for port in [registry.port, peerPort] {
      for data in Self.garbage {
        let socket = try PlainSocket(connectingTo: port)
        socket.send(data)
        open.append(socket)
      }
    }
    // Others are served while these are open …
    try await alice.run("chat", "bob", "through the noise").expect(0)
    #expect(try await bobs.record("message")["text"] == "through the noise")
    // … which does not last: whoever does not finish a handshake is shown out, and told nothing.
    for socket in open {
      let answer = try await eventually("the end of a connection", within: .seconds(30)) { socket.drained }
      #expect(answer.isEmpty, "\(answer.count) bytes came back")
    }
    #expect(registry.program.isRunning && bobs.isRunning)
    try await bobs.stop()
    try await registry.program.stop()
  }

  @Test func `over IPv6`() async throws {
    let world = try World()
    let program = try Program(
      "secchat-registry", ["--listen", "[::1]:0", "--data", world.folder.file("registry"), "--json"])
    let line = try await program.line("the listening line") { Record($0)?.type == "listening" }
    let registry = try Registry(program: program, started: #require(Record(line)))
    for name in ["alice", "bob"] {
      let profile = try await world.identity(name)
      let place = "\(name)@[::1]:\(registry.port)"
      let outcome = try await profile.run("register", place, "--registry-key", registry.key).expect(0)
      #expect(try outcome.record("registered")["user"] == place)
    }
    let (alice, bob) = (try world.profile("alice"), try world.profile("bob"))
    let bobs = try await bob.daemon()
    let found = try await alice.run("lookup", "bob").expect(0).record("peer")
    #expect(found["address"]?.hasPrefix("[::1]:") == true)
    try await alice.run("chat", "bob", "over IPv6").expect(0)
    #expect(try await bobs.record("message")["text"] == "over IPv6")
  }

  @Test(.needsRoot) func `a full disk`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let bob = try await world.user("bob", at: registry)
    let inbox = world.folder.file("inbox")
    try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: false)
    let mount = try Program(
      "/usr/bin/env", ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", inbox])
    try #require(try await mount.finish() == 0, "\(mount.report)")
    defer { _ = try? Program("/usr/bin/env", ["umount", "--lazy", inbox]) }
    let bobs = try await bob.daemon("--accept-files", "always", "--downloads", inbox)
    let large = try world.folder.write("large", Data(repeating: 7, count: 8_000_000))
    let outcome = try await alice.run("send", "bob", large)
    #expect(outcome.status == 9 && outcome.records("done").isEmpty, "\(outcome)")
    let left = FileManager.default.enumerator(atPath: inbox)?.compactMap { $0 as? String } ?? []
    #expect(left.allSatisfy { !$0.contains("large") }, "\(left)")
    // Room enough for a small one still.
    let small = try world.folder.write("small", "text")
    try await alice.run("send", "bob", small).expect(0)
    #expect(try await bobs.record("file")["path"] == inbox + "/alice/small")
    try await bobs.stop()
  }
}
