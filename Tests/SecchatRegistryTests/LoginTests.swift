import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

@Suite struct LoginTests {
  @Test func theRegistryTellsTheClientsAddress() async throws {
    try await withRegistry(host: "::") { registry in
      let user = try User("ann")
      _ = try await registry.store.claim(user.account(at: registry.key))
      for (host, bytes) in [("127.0.0.1", [127, 0, 0, 1]), ("::1", [UInt8](repeating: 0, count: 15) + [1])] {
        let client = try await registry.client(of: user, host: host)
        let answer = try #require(try await client.logIn(user, port: 4_321).loggedIn)
        #expect(answer.address == NetworkAddress(bytes: bytes, port: 4_321))
        #expect(answer.life == 90)
        #expect(answer.heartbeat == 30)
      }
    }
  }

  @Test func everyFailureIsTheSame() async throws {
    try await withRegistry { registry in
      let (ann, eve) = (try User("ann"), try User("eve"))
      for user in [ann, eve] { _ = try await registry.store.claim(user.account(at: registry.key)) }
      let nobody = try User("nobody")
      let failed = RegistryAnswer.failure(Failure(request: 1, reason: .loginFailed))
      // No such name, no such device, another's key.
      #expect(try await registry.client(of: ann).logIn(nobody) == failed)
      #expect(try await registry.client(of: ann).logIn(ann, device: 2) == failed)
      #expect(try await registry.client(of: eve).logIn(ann) == failed)
      #expect(registry.registry.onlineCount == 0)
    }
  }

  @Test func nothingIsAnsweredBeforeLogin() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      _ = try await registry.store.claim(user.account(at: registry.key))
      let client = try await registry.client(of: user)
      #expect(try await client.lookUp(user.name).failure == .notLoggedIn)
      #expect(try await client.ask { List(request: $0, after: nil) }.failure == .notLoggedIn)
      #expect(try await client.heartbeat().failure == .notLoggedIn)
      #expect(try await client.logOut().failure == .notLoggedIn)
      #expect(try await client.watch([user.name]).failure == .notLoggedIn)
      #expect(try await client.logIn(user).loggedIn != nil)
      #expect(try await client.lookUp(user.name).found != nil)
      #expect(try await client.logOut().loggedOut != nil)
      #expect(try await client.lookUp(user.name).failure == .notLoggedIn)
    }
  }

  /// WATCH with a number, and after it what is none.
  private struct Garbage: WireMessage, Numbered {
    static let type = FrameType.watch
    var request: UInt32
    var rest: [UInt8]

    init(request: UInt32, rest: [UInt8]) {
      self.request = request
      self.rest = rest
    }

    init(body: inout WireReader) throws(WireError) { throw .malformed }

    func encodeBody(into writer: inout WireWriter) {
      writer.u32(request)
      for byte in rest { writer.u8(byte) }
    }
  }

  @Test func beforeLoginOnlyTheNumberOfARequestIsRead() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      _ = try await registry.store.claim(user.account(at: registry.key))
      let client = try await registry.client(of: user)
      for rest in [[], [7, 0xff, 0xff, 1], [UInt8](repeating: 9, count: 4_000)] as [[UInt8]] {
        #expect(try await client.ask { Garbage(request: $0, rest: rest) }.failure == .notLoggedIn)
      }
      #expect(try await client.logIn(user).loggedIn != nil)
      client.link.send(Garbage(request: 99, rest: [7]))
      #expect(await client.ending() != nil)
    }
  }

  @Test func aLinkIsForOneDevice() async throws {
    try await withRegistry { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      _ = try await registry.store.claim(bob.account(at: registry.key))
      let client = try await registry.online(ann)
      #expect(try await client.logIn(bob).failure == .badRequest)
      #expect(try await client.logIn(ann, device: 2).failure == .badRequest)
      #expect(try await client.logIn(ann, port: 5_000).loggedIn?.address.port == 5_000)
      #expect(try await client.lookUp(ann.name).found?.address?.port == 5_000)
      #expect(registry.registry.onlineCount == 1)
    }
  }

  @Test func theSecondLoginOfADeviceReplacesTheFirst() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let first = try await registry.online(user, port: 4_000)
      let second = try await registry.online(user, port: 5_000)
      #expect(await first.ending() == .closed(.replaced))
      #expect(try await second.lookUp(user.name).found?.address?.port == 5_000)
      #expect(registry.registry.onlineCount == 1)
    }
  }

  @Test func twoDevicesAreOnlineSideBySide() async throws {
    try await withRegistry { registry in
      let (ann, phone) = (try User("ann"), try User("phone"))
      let device = Device(
        id: 2, link: phone.secret.link.publicKey, messaging: phone.secret.messaging.publicKey,
        signing: phone.secret.signing.publicKey, created: 1)
      let first = try ann.list(at: registry.key)
      let both = try ann.list(after: first, devices: first.list.devices + [device])
      _ = try await registry.store.claim(StoredAccount(both))
      let desk = try await registry.client(of: ann)
      #expect(try await desk.logIn(ann, port: 4_000).loggedIn != nil)
      let pocket = try await registry.client(of: phone)
      #expect(try await pocket.logIn(ann, device: 2, port: 5_000).loggedIn != nil)
      #expect(try await desk.lookUp(ann.name).found?.address?.port == 5_000)
      #expect(try await desk.list().entries.map(\.name) == [ann.name])
      _ = try await pocket.logOut()
      #expect(try await desk.lookUp(ann.name).found?.address?.port == 4_000)
      #expect(registry.registry.onlineCount == 1)
    }
  }

  @Test func withPortZeroOneAsksAndIsNotOnline() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let online = try await registry.online(user, port: 4_000)
      let quiet = try await registry.online(user, port: 0)
      #expect(try await quiet.lookUp(user.name).found?.address?.port == 4_000)
      #expect(try await quiet.list().entries.count == 1)
      #expect(try await quiet.watch([user.name]).watching != nil)
      #expect(try await quiet.presence().address?.port == 4_000)
      #expect(try await online.heartbeat().alive != nil)
      _ = try await online.logOut()
      #expect(try await quiet.lookUp(user.name).found?.address == nil)
      #expect(try await quiet.list().entries.isEmpty)
      #expect(registry.registry.onlineCount == 0)
    }
  }

  @Test func goingToPortZeroOnTheSameLinkGoesOffline() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let client = try await registry.online(user, port: 4_000)
      _ = try await client.logIn(user, port: 0)
      #expect(registry.registry.onlineCount == 0)
      _ = try await client.logIn(user, port: 4_001)
      #expect(registry.registry.onlineCount == 1)
    }
  }

  // MARK: Bounds

  @Test func anAccountMayHaveSoManySessions() async throws {
    try await withRegistry(configure: { $0.sessionsPerAccount = 3 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let online = try await registry.online(ann, port: 4_000)
      let quiet = [try await registry.online(ann, port: 0), try await registry.online(ann, port: 0)]
      let late = try await registry.client(of: ann)
      #expect(try await late.logIn(ann, port: 0).failure == .tooMany)
      // Whoever has one keeps it, and may change its port.
      #expect(try await quiet[0].logIn(ann, port: 0).loggedIn != nil)
      #expect(try await registry.online(bob).heartbeat().alive != nil)
      // One that takes the place of another is none more.
      let second = try await registry.client(of: ann)
      #expect(try await second.logIn(ann, port: 4_001).loggedIn != nil)
      #expect(await online.ending() == .closed(.replaced))
      #expect(try await late.logIn(ann, port: 0).failure == .tooMany)
      quiet[0].link.abort()
      #expect(try await eventually { try await late.logIn(ann, port: 0).loggedIn != nil })
      _ = try await quiet[1].logOut()
      #expect(try await quiet[1].logIn(ann, port: 0).loggedIn != nil)
    }
  }

  @Test func logInsOfAUserAreLimitedApartFromLookUps() async throws {
    try await withRegistry(configure: {
      $0.logins = Rate(3, per: 60_000); $0.lookups = Rate(2, per: 60_000)
    }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let client = try await registry.online(ann)
      for _ in 0..<2 { #expect(try await client.lookUp(ann.name).found != nil) }
      #expect(try await client.lookUp(ann.name).failure == .rateLimited)
      for _ in 0..<2 { #expect(try await client.logIn(ann).loggedIn != nil) }
      #expect(try await client.logIn(ann).failure == .rateLimited)
      #expect(try await registry.client(of: ann).logIn(ann).failure == .rateLimited)
      let other = try await registry.online(bob)
      for _ in 0..<2 { #expect(try await other.logIn(bob).loggedIn != nil) }
      #expect(try await other.logIn(bob).failure == .rateLimited)
      // Log-ins have left the look-ups alone.
      #expect(try await other.lookUp(ann.name).found != nil)
      #expect(try await client.heartbeat().alive != nil)
    }
  }

  @Test func failedLogInsOfAnAddressAreLimited() async throws {
    try await withRegistry(host: "::", configure: { $0.failedLogins = Rate(4, per: 3_600_000) }) { registry in
      let (ann, bob, nobody) = (try User("ann"), try User("bob"), try User("nobody"))
      let online = try await registry.online(bob)
      _ = try await registry.store.claim(ann.account(at: registry.key))
      // Log-ins that succeed are not counted.
      for _ in 0..<5 { _ = try await registry.online(ann) }
      let guesser = try await registry.client(of: nobody)
      for index in 0..<4 {
        #expect(try await guesser.logIn(index % 2 == 0 ? ann : nobody).failure == .loginFailed)
      }
      // From here on one answer for whatever name, on every link of the address.
      for link in [guesser, try await registry.client(of: nobody)] {
        for user in [ann, bob, nobody] { #expect(try await link.logIn(user).failure == .rateLimited) }
      }
      #expect(try await registry.client(of: ann).logIn(ann).failure == .rateLimited)
      // Who is logged in, and other addresses, notice nothing.
      #expect(try await online.logIn(bob, port: 4_001).loggedIn != nil)
      #expect(try await registry.online(ann, host: "::1").heartbeat().alive != nil)
    }
  }

  // MARK: Time

  @Test func aSilentSessionEnds() async throws {
    try await withRegistry(configure: { $0.life = 5_000 }) { registry in
      let (silent, lively) = (try await registry.online(User("ann")), try await registry.online(User("bob")))
      let ended = Loop.spawn { #expect(await silent.ending() == .closed(.idle)) }
      // The one that keeps on speaking lives longer than a life. It waits on the loop: other threads may be busy for longer.
      let start = Instant.now
      while registry.registry.onlineCount > 1 || Instant.now - start < 7_500 {
        #expect(try await lively.heartbeat().alive?.life == 5)
        try #require(Instant.now - start < 60_000)
        try await Loop.sleep(for: 200)
      }
      await ended.value
      #expect(try await lively.list().entries.map(\.name.text) == ["bob"])
    }
  }

  @Test func aLinkThatDoesNotLogInEnds() async throws {
    try await withRegistry(configure: { $0.greeting = 1_500 }) { registry in
      let user = try User("ann")
      #expect(await (try registry.client(of: user)).ending() == .closed(.idle))
      let client = try await registry.online(user)
      _ = try await client.logOut()
      #expect(await client.ending() == .closed(.idle))
    }
  }

  @Test func aLinkThatIsOnlyRefusedEnds() async throws {
    try await withRegistry(configure: { $0.refusals = 3 }) { registry in
      let user = try User("ann")
      let client = try await registry.client(of: user)
      for _ in 0..<3 { #expect(try await client.logIn(user).failure == .loginFailed) }
      #expect(try await client.logIn(user).failure == .loginFailed)
      #expect(await client.ending() == .closed(.protocolError))
    }
  }

  @Test func registeringEndsARowOfRefusals() async throws {
    try await withRegistry(configure: { $0.refusals = 2 }) { registry in
      let user = try User("ann")
      let client = try await registry.client(of: user)
      for _ in 0..<2 { #expect(try await client.logIn(user).failure == .loginFailed) }
      #expect(try await registry.register(user, over: client).registered != nil)
      for _ in 0..<3 { #expect(try await client.heartbeat().failure == .notLoggedIn) }
      #expect(await client.ending() == .closed(.protocolError))
    }
  }

  @Test func whoGoesWithoutAWordIsOfflineAtOnce() async throws {
    try await withRegistry { registry in
      let client = try await registry.online(User("ann"))
      client.link.abort()
      #expect(await eventually { registry.registry.onlineCount == 0 })
    }
  }

  @Test func stoppingTellsEveryClient() async throws {
    try await withRegistry { registry in
      let client = try await registry.online(User("ann"))
      let idle = try await registry.client(of: User("bob"))
      let half = try await registry.stream()
      await registry.registry.stop()
      #expect(await client.ending() == .closed(.goingAway))
      #expect(await idle.ending() == .closed(.goingAway))
      await #expect(throws: NetError.self) { try await half.fill(atLeast: 1) }
      await #expect(throws: StoreError.self) { try await registry.store.account(named: User("ann").name) }
    }
  }
}
