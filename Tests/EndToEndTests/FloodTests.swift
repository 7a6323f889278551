import Foundation
import TestSupport
import Testing

/// Others go on while somebody floods both ports; afterwards nothing of the flood is left.
@Suite(.serialized) struct FloodTests {
  /// How many connections come to each port: from the address of the honest, and from others.
  struct Size {
    let near: Int
    let far: Int
  }

  private struct Scene {
    let world: World
    let registry: Registry
    let proxies: [RecordingProxy]
    let bobs: Program
    /// Where bob takes connections, at 127.0.0.2.
    let port: Int
    /// The first messages of handshakes with the registry and with bob.
    let toRegistry: Data
    let toBob: Data

    init() async throws {
      world = try World()
      registry = try await world.registry()
      // The registry sees bob at 127.0.0.1 and tells that with his port: there the proxy stands, he is next door.
      let (registryProxy, bobsProxy) = (
        try RecordingProxy(to: "127.0.0.1", registry.port), try RecordingProxy(to: "127.0.0.2")
      )
      proxies = [registryProxy, bobsProxy]
      port = bobsProxy.port
      let alice = try await world.user("alice", at: registry, port: registryProxy.port)
      let bob = try await world.user("bob", at: registry)
      // Such a limit is what a process usually has.
      bobs = try bob.start(
        words: ["daemon", "--listen", "127.0.0.2:\(port)", "--accept-files", "always"],
        limits: "ulimit -n 1024")
      _ = try await bobs.record("online")
      try await alice.run("chat", "bob", "before the flood").expect(0)
      toRegistry = registryProxy.bytes.prefix(Flood.messageLength)
      toBob = bobsProxy.bytes.prefix(Flood.messageLength)
    }

    /// Floods of that size to both ports. Those from the address of the honest stay as they are: whoever makes new ones
    /// there all the time can keep its neighbours from that node, and nobody else.
    func floods(_ size: Size) throws -> [Flood] {
      let floods = try [(registry.port, UInt8(1), toRegistry), (port, 2, toBob)].flatMap {
        (port, host, message) in
        [
          try Flood(size.near, to: port, at: host, from: 1...1, message: message, renewed: false),
          try Flood(size.far, to: port, at: host, from: 11...20, message: message, renewed: true),
        ]
      }
      return floods
    }

    /// What an honest user who has never been here does.
    func serve(_ name: String) async throws {
      let user = try await world.user(name, at: registry)
      let others = try await user.run("list").expect(0).records("peer").map { $0["user"] }
      #expect(others == ["bob"])
      try await user.run("lookup", "bob").expect(0)
      try await user.run("chat", "bob", "from \(name)").expect(0)
      _ = try await bobs.record("message") { $0["text"] == "from \(name)" }
      let path = try world.folder.write(name + ".file", Data(repeating: 7, count: 1_000_000))
      try await user.run("send", "bob", path).expect(0)
      _ = try await bobs.record("file") { $0["name"] == name + ".file" }
      try await user.run("chat", "bob", "still \(name)").expect(0)
    }

    /// Descriptors and kilobytes of both programs.
    func state() throws -> [(descriptors: Int, resident: Int)] {
      try [registry.program, bobs].map { (try $0.descriptors, try $0.resident) }
    }
  }

  /// - Parameters:
  ///   - memory: what the first flood may leave behind in kilobytes: buffers that are kept for the next. A further flood
  ///     finds them there, and leaves no more than an eighth of it.
  private func flood(_ size: Size, memory: Int, rounds: Int = 1) async throws {
    let scene = try await Scene()
    try await scene.serve("before")
    let before = try scene.state()
    var last = before
    for round in 1...rounds {
      let floods = try scene.floods(size)
      try await scene.serve("meanwhile-\(round)")
      let meanwhile = try scene.state()
      #expect(meanwhile[0].descriptors > before[0].descriptors + size.far / 2, "there was no flood")
      #expect(meanwhile[1].descriptors > before[1].descriptors + min(size.far, 256) / 2, "there was no flood")
      for flood in floods { flood.end() }
      try await eventually("the descriptors are back") {
        let after = try scene.state()
        return zip(before, after).allSatisfy { $1.descriptors <= $0.descriptors }
      }
      try await scene.serve("afterwards-\(round)")
      let after = try scene.state()
      for (last, after) in zip(last, after) where !isSanitized {
        let bound = round == 1 ? memory : memory / 8
        #expect(after.resident - last.resident < bound, "\(last) became \(after) kB in flood \(round)")
      }
      last = after
    }
    try await scene.bobs.stop()
    try await scene.registry.program.stop()
  }

  @Test func `silent and slow connections to both ports`() async throws {
    try await flood(Size(near: 150, far: 300), memory: 16_384)
  }

  @Test(.long) func `thousands of silent and slow connections to both ports`() async throws {
    raiseDescriptorLimit()
    try await flood(Size(near: 3_000, far: 3_000), memory: 65_536, rounds: 3)
  }

  /// What never finishes a handshake is shown out, however it keeps busy.
  @Test(.long) func `silent and slow connections are shown out by themselves`() async throws {
    let scene = try await Scene()
    let floods = try [(scene.registry.port, UInt8(1), scene.toRegistry), (scene.port, 2, scene.toBob)].map {
      (port, host, message) in
      try Flood(60, to: port, at: host, from: 11...20, message: message, renewed: false)
    }
    for flood in floods {
      try await eventually("the end of all connections", within: .seconds(30)) { flood.isShownOut }
    }
  }

  /// A node's user is written to by somebody who never stops, and hears the others.
  @Test func `a flood of messages beside a polite peer`() async throws {
    let world = try World()
    let registry = try await world.registry()
    var users: [Profile] = []
    for name in ["alice", "bob", "mallory"] { users.append(try await world.user(name, at: registry)) }
    let bobs = try await users[1].daemon()
    let alices = try await users[0].daemon()
    let flood = (0..<30_000).map { "flood \($0)\n" }.joined()
    let flooder = try users[2].start(words: ["chat", "bob", "-"], input: nil)
    let feeding = Thread {
      flooder.say(flood)
      flooder.endInput()
    }
    feeding.start()
    _ = try await bobs.record("message") { $0["text"] == "flood 0" }
    for number in 0..<10 { try await users[0].run("chat", "bob", "polite \(number)").expect(0) }
    #expect(flooder.isRunning, "the flood was over")
    let texts = bobs.lines.compactMap { Record($0)?["text"] }
    #expect(texts.filter { $0.hasPrefix("polite") } == (0..<10).map { "polite \($0)" })
    #expect(texts.count { $0.hasPrefix("flood") } > 100)
    try await flooder.destroy()
    try await alices.stop()
    try await bobs.stop()
  }

  /// Who is in stays in, and whoever is not is told so; when somebody leaves there is room again.
  @Test func `a registry with no room for more`() async throws {
    let world = try World()
    let registry = try await world.registry(data: "registry", port: 0, "--max-connections", "3")
    var users: [Profile] = []
    for name in ["alice", "bob", "carol", "dave"] { users.append(try await world.user(name, at: registry)) }
    var daemons: [Program] = []
    for user in users[..<3] { daemons.append(try await user.daemon()) }
    let refused = try await users[3].run("lookup", "bob").expect(3)
    #expect(try refused.record("error")["message"]?.contains("cannot be reached") == true)
    try await users[0].run("lookup", "carol").expect(0)
    try await users[0].run("chat", "bob", "inside").expect(0)
    try await daemons[2].stop()
    try await eventually("there is room") { try await users[3].run("lookup", "bob").status == 0 }
    for daemon in daemons[..<2] { try await daemon.stop() }
  }
}

/// Lets this process have as many descriptors as the system allows it.
private func raiseDescriptorLimit() {
  var limit = rlimit()
  let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  guard unsafe getrlimit(kind, &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  unsafe setrlimit(kind, &limit)
}
