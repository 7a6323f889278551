import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatRegistry

@Suite struct AdmissionTests {
  /// How a stream ends that the registry lets go.
  private func ending(_ stream: ByteStream) async -> NetError? {
    await failure { () throws(NetError) in try await stream.fill(atLeast: 1, deadline: .now + 60_000) }
  }

  private func isGone(_ error: NetError?) -> Bool { error == .closed || error == .reset }

  @Test func garbageIsAnsweredWithNothing() async throws {
    try await withRegistry { registry in
      let lots = [UInt8](repeating: 0xff, count: 200_000)
      let first: [[UInt8]] = [
        Array("GET / HTTP/1.1\r\n\r\n".utf8), lots, [0], [3, 0, 0], [1, 0xff, 0xff], [1, 0, 0],
        [1, 0, 48] + [UInt8](repeating: 7, count: 48), [2, 0, 32] + [UInt8](repeating: 0, count: 32),
        [2, 0, 31] + [UInt8](repeating: 9, count: 31),
      ]
      for bytes in first {
        let stream = try await registry.stream()
        stream.write(bytes.raw)
        stream.flush()
        #expect(isGone(await ending(stream)), "\(bytes.prefix(8))")
      }
      #expect(try await registry.online(User("ann")).heartbeat().alive != nil)
    }
  }

  @Test func aFrameThatIsNoRequestEndsTheLink() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let client = try await registry.online(user)
      client.link.send(Alive(request: 1, life: 1))
      #expect(await client.ending() != nil)
      #expect(await eventually { registry.registry.onlineCount == 0 })
    }
  }

  /// The length alone ends the link: nothing of the frame follows.
  @Test(arguments: [false, true]) func aFrameLongerThanAnyRequestIsNotWaitedFor(_ isLoggedIn: Bool)
    async throws
  {
    try await withRegistry { registry in
      let user = try User("ann")
      _ = try await registry.store.claim(user.account(at: registry.key))
      let stream = try await registry.stream()
      let client = Client(
        try await SealedLink.connect(
          stream, prologue: Prologue.registry, local: user.secret.link, remote: registry.key))
      if isLoggedIn {
        #expect(try await client.logIn(user).loggedIn != nil)
        let name = { (index: Int) in try #require(UserName(String(repeating: "x", count: 28) + "\(index)")) }
        #expect(try await client.watch((1_000..<2_000).map(name)).watching != nil, "the largest request")
        // Presences are on their way.
        try await stream.fill(atLeast: 1)
      }
      let length = isLoggedIn ? 36_865 : 4_097
      stream.write([UInt8(length >> 8), UInt8(length & 0xff)].raw)
      stream.flush()
      #expect(
        try await eventually { () async throws -> Bool in
          stream.consume(stream.buffered)
          do throws(NetError) {
            try await stream.fill(atLeast: 1, deadline: .now + 100)
            return false
          } catch { return isGone(error) }
        })
      withExtendedLifetime(client) {}
    }
  }

  @Test func whoDoesNotReadAnswersIsCutOff() async throws {
    try await withRegistry(configure: {
      $0.writePatience = 500; $0.lookups = Rate(1_000_000, per: 1_000)
    }) { registry in
      let (ann, many) = (try User("ann"), try User("many"))
      let first = try many.list(at: registry.key)
      let devices = try (1...16).map { id in
        let keys = try User("device")
        return Device(
          id: UInt32(id), link: keys.secret.link.publicKey, messaging: keys.secret.messaging.publicKey,
          signing: keys.secret.signing.publicKey, created: 1)
      }
      _ = try await registry.store.claim(StoredAccount(try many.list(after: first, devices: devices)))
      let client = try await registry.online(ann)
      var asked: UInt32 = 100
      let isCut = await eventually {
        for _ in 0..<500 where client.link.backlog < 64 << 10 {
          client.link.send(Lookup(request: asked, name: many.name))
          asked += 1
        }
        client.link.flush()
        return registry.registry.onlineCount == 0
      }
      #expect(isCut)
    }
  }

  @Test func theRegistryTellsItsKeyToWhoAsks() async throws {
    try await withRegistry { registry in
      let key = try await SealedLink.inquire(registry.stream(), prologue: Prologue.registry)
      #expect(key == registry.key)
    }
  }

  @Test func aHandshakeHasADeadline() async throws {
    try await withRegistry(configure: { $0.handshakeTime = 2_000 }) { registry in
      let silent = try await registry.stream()
      let slow = try await registry.stream()
      slow.write([1, 0].raw)
      slow.flush()
      #expect(isGone(await ending(silent)))
      #expect(isGone(await ending(slow)))
      #expect(try await registry.online(User("ann")).heartbeat().alive != nil)
    }
  }

  @Test func oneAddressCannotTakeAllConnections() async throws {
    try await withRegistry(host: "::", configure: { $0.connectionsPerAddress = 3 }) { registry in
      let standing = try await registry.online(User("ann"))
      let held = [try await registry.stream(), try await registry.stream()]
      #expect(isGone(await ending(try registry.stream())))
      // Another address is served, and what stood still stands.
      #expect(try await registry.online(User("bob"), host: "::1").heartbeat().alive != nil)
      #expect(try await standing.heartbeat().alive != nil)
      for stream in held { stream.close() }
      #expect(
        await eventually { (try? await registry.online(User("cid")).heartbeat().alive) != nil })
    }
  }

  @Test func aConnectionCountsUntilItIsGone() async throws {
    try await withRegistry(configure: {
      $0.connectionsPerAddress = 1; $0.refusals = 0
    }) { registry in
      let user = try User("ann")
      let stream = try await registry.stream()
      let link = try await SealedLink.connect(
        stream, prologue: Prologue.registry, local: user.secret.link, remote: registry.key)
      link.send(Login(request: 1, name: user.name, device: 1, port: 0))
      // FAILURE and CLOSE; the registry waits for this side's end.
      try await stream.fill(atLeast: 2 + 10 + 16 + 2 + 2 + 16)
      #expect(isGone(await ending(try registry.stream())))
      link.abort()
      #expect(
        try await eventually { () async throws -> Bool in
          let next = try await registry.stream()
          defer { next.abort() }
          do throws(NetError) { try await next.fill(atLeast: 1, deadline: .now + 50) } catch {
            return error == .timedOut
          }
          return false
        })
    }
  }

  @Test func whereItGetsTightEachAddressHasItsShare() async throws {
    try await withRegistry(host: "::", configure: { $0.connections = 8 }) { registry in
      var held: [ByteStream] = []
      for _ in 0..<6 { held.append(try await registry.stream()) }
      // Three quarters are taken by one address, which is the only one.
      let other = try await registry.online(User("bob"), host: "::1")
      #expect(isGone(await ending(try registry.stream())))
      #expect(try await other.heartbeat().alive != nil)
      for stream in held { stream.close() }
    }
  }

  @Test func whoHasMostHandshakesUnderWayLosesTheOldest() async throws {
    try await withRegistry(host: "::", configure: { $0.halfOpen = 3 }) { registry in
      var held: [ByteStream] = []
      for _ in 0..<3 { held.append(try await registry.stream()) }
      let standing = try await registry.online(User("ann"), host: "::1")
      #expect(isGone(await ending(held[0])))
      #expect(try await standing.heartbeat().alive != nil)
      // The flooder drives nobody out but itself.
      held.append(try await registry.stream())
      held.append(try await registry.stream())
      #expect(isGone(await ending(held[1])))
      #expect(try await standing.heartbeat().alive != nil)
    }
  }

  /// Who shares an address with silent connections gets in all the same: it is they who give way.
  @Test func silentConnectionsKeepNobodyOutAtTheirOwnAddress() async throws {
    try await withRegistry(configure: { $0.halfOpenPerAddress = 3 }) { registry in
      var held: [ByteStream] = []
      for _ in 0..<5 { held.append(try await registry.stream()) }
      for stream in held[..<2] { #expect(isGone(await ending(stream))) }
      let standing = try await registry.online(User("ann"))
      #expect(isGone(await ending(held[2])))
      #expect(try await standing.heartbeat().alive != nil)
    }
  }

  /// Who has most handshakes under way is found among those who have any, however many are connected.
  @Test @LoopActor func whoHasNoHandshakeUnderWayIsNotLookedAt() async throws {
    let listener = try Listener(address: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    defer { listener.close() }
    let stream = try await ByteStream.connect(to: try #require(listener.address), timeout: 60_000)
    defer { stream.close() }
    let admission = Admission(RegistryConfiguration())
    var visits: [Visit] = []
    for index in 0..<200 {
      let key = try #require(SocketAddress("192.0.2.\(index / 2):1")).rateKey
      visits.append(try admission.admit(stream, from: key))
    }
    #expect(admission.halfOpen.count == 100)
    for visit in visits.dropLast() { admission.settle(visit) }
    #expect(admission.halfOpen.keys.map(\.self) == [visits[199].key])
    for visit in visits { admission.leave(visit) }
    #expect(admission.halfOpen.isEmpty)
  }

  @Test func handshakesOfAnAddressAreLimited() async throws {
    try await withRegistry(host: "::", configure: { $0.handshakes = Rate(5, per: 60_000) }) { registry in
      let standing = try await registry.online(User("ann"))
      for _ in 0..<4 { _ = try await registry.client(.random()) }
      #expect(isGone(await ending(try registry.stream())))
      #expect(try await registry.online(User("bob"), host: "::1").heartbeat().alive != nil)
      #expect(try await standing.heartbeat().alive != nil)
    }
  }

  @Test func theLogTellsNowAndThenHowMuchWasRefused() async throws {
    let lines = Lock<[String]>([])
    let log = Log(level: .info) { line in lines.withLock { $0.append(line) } }
    try await withRegistry(
      host: "::", log: log,
      configure: {
        $0.summary = 300; $0.connectionsPerAddress = 2; $0.signups = Rate(1, per: 60_000)
        $0.lookups = Rate(1, per: 60_000); $0.refusals = 100
      }
    ) { registry in
      let user = try User("canary-name")
      let client = try await registry.client(of: user)
      for _ in 0..<3 { #expect(try await client.logIn(user).failure == .loginFailed) }
      for index in 0..<3 {
        let answer = try await registry.register(user, over: client)
        #expect((answer.registered == nil) == (index > 0))
      }
      _ = try await client.logIn(user)
      for _ in 0..<3 { _ = try await client.lookUp(user.name) }
      let held = try await registry.stream()
      #expect(isGone(await ending(try registry.stream())))
      held.write([UInt8](repeating: 9, count: 100).raw)
      held.flush()
      #expect(isGone(await ending(held)))
      func count(_ what: String) -> Int {
        let found = lines.withLock { $0.flatMap { $0.matches(of: /([a-z -]+): ([0-9]+)/) } }
        return found.filter { $0.output.1.hasSuffix(what) }.reduce(0) { $0 + (Int($1.output.2) ?? 0) }
      }
      let isTold = await eventually {
        count("log-ins refused") == 3 && count("sign-ups refused") == 2 && count("look-ups refused") == 2
          && count("connections turned away") == 1 && count("handshakes failed") == 1
      }
      #expect(isTold, "\(lines.withLock { $0 })")
      // Where nothing was refused, nothing is said.
      let told = lines.withLock { $0.count }
      try await Loop.sleep(for: 800)
      #expect(lines.withLock { $0.count } == told)
    }
    let text = lines.withLock { $0.joined() }
    #expect(!text.contains("canary-name"))
    #expect(!text.contains("127.0.0.1"))
  }

  @Test func theLogSaysNothingOfUsersOrAddresses() async throws {
    let lines = Lock<[String]>([])
    let log = Log(level: .info) { line in lines.withLock { $0.append(line) } }
    try await withRegistry(log: log) { registry in
      let user = try User("canary-name")
      let client = try await registry.client(of: user)
      _ = try await registry.register(user, over: client)
      _ = try await client.logIn(user)
      client.link.abort()
      #expect(await eventually { registry.registry.onlineCount == 0 })
    }
    let text = lines.withLock { $0.joined() }
    #expect(text.contains("registered"))
    #expect(!text.contains("canary-name"))
    #expect(!text.contains("127.0.0.1"))
  }
}
