import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

/// A client that wants more than is its own. More of them: RegisterTests, LoginTests, AdmissionTests.
@Suite struct HostileClientTests {
  /// Somebody's whole REGISTER, word for word, over another link: before its owner's and after.
  @Test func aRecordedRegisterIsNoUseToAnother() async throws {
    try await withRegistry { registry in
      let (ann, eve) = (try User("ann"), try User("eve"))
      let client = try await registry.client(of: ann)
      let list = try ann.list(at: registry.key)
      let statement = Register.statement(
        handshakeHash: client.link.handshakeHash, account: list.list.account, list: list.encoded)
      let signature = ann.secret.identity.sign(label: Labels.register, message: statement.raw)
      func say(over client: Client) async throws -> RegistryAnswer {
        try await client.ask { Register(request: $0, list: list.encoded, signature: signature) }
      }
      for isClaimed in [false, true] {
        for user in [eve, ann] {
          #expect(try await say(over: registry.client(of: user)).failure == .badRequest)
        }
        let stored = try await registry.store.account(named: ann.name)
        #expect(stored == (isClaimed ? try ann.account(at: registry.key) : nil))
        if !isClaimed { #expect(try await say(over: client).registered?.already == false) }
      }
    }
  }

  /// Eve's own list names ann's link key as a device of hers: it makes neither of them the other.
  @Test func anothersKeyOnOnesOwnListIsNoUse() async throws {
    try await withRegistry { registry in
      let (ann, eve) = (try User("ann"), try User("eve"))
      let online = try await registry.online(ann)
      let first = try eve.list(at: registry.key)
      let stolen = Device(
        id: 2, link: ann.secret.link.publicKey, messaging: ann.secret.messaging.publicKey,
        signing: ann.secret.signing.publicKey, created: 1)
      let both = try eve.list(after: first, devices: first.list.devices + [stolen])
      let client = try await registry.client(of: eve)
      #expect(try await client.register(both, by: eve).registered != nil)
      #expect(try await client.logIn(ann).failure == .loginFailed)
      #expect(try await client.logIn(ann, device: 2).failure == .loginFailed)
      #expect(try await client.logIn(eve, device: 2).failure == .loginFailed)
      // Nor is a list of hers in ann's name, with ann's key on it.
      let name = Account(name: ann.name, registry: registry.key)
      let claim = try #require(eve.secret.firstDeviceList(for: name))
      #expect(try await client.register(claim, by: eve).failure == .nameTaken)
      #expect(try await online.lookUp(ann.name).found?.list == ann.list(at: registry.key).encoded)
      #expect(try await client.logIn(eve).loggedIn != nil)
      #expect(registry.registry.onlineCount == 2)
    }
  }

  @Test func anotherListOfAVersionThatIsThereIsRefused() async throws {
    try await withRegistry { registry in
      let (ann, phone) = (try User("ann"), try User("phone"))
      let first = try ann.list(at: registry.key)
      let client = try await registry.online(ann)
      let device = Device(
        id: 2, link: phone.secret.link.publicKey, messaging: phone.secret.messaging.publicKey,
        signing: phone.secret.signing.publicKey, created: 1)
      let other = SignedDeviceList(
        signing: try #require(
          DeviceList(
            identity: ann.secret.identity.publicKey, account: first.list.account, version: 1,
            previous: FixedBytes(), devices: first.list.devices + [device])),
        with: ann.secret.identity)
      #expect(try await client.register(other, by: ann).failure == .badRequest)
      #expect(try await registry.store.account(named: ann.name) == ann.account(at: registry.key))
    }
  }

  /// Every frame that is no request, from who is logged in and from who is not.
  @Test(arguments: [false, true]) func whatIsNoRequestEndsTheLink(isLoggedIn: Bool) async throws {
    try await withRegistry { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      _ = try await registry.store.claim(ann.account(at: registry.key))
      let others = try await registry.online(bob)
      let id: MessageID = Random.bytes()
      let address = try #require(NetworkAddress(bytes: [127, 0, 0, 1], port: 1))
      let envelope = Envelope(
        session: id, initiation: nil,
        header: RatchetHeader(key: RatchetPublicKey(Random.bytes()), previous: 0, number: 0),
        sealed: [UInt8](repeating: 7, count: 296))
      let frames: [any WireMessage] = [
        Registered(request: 1, already: false),
        LoggedIn(request: 1, address: address, life: 1, heartbeat: 1),
        Listed(request: 1, more: false, entries: []), Found(request: 1, address: nil, list: []),
        Alive(request: 1, life: 1), LoggedOut(request: 1), Watching(request: 1),
        Failure(request: 1, reason: .badRequest), Presence(name: ann.name, address: address),
        Published(request: 1, signed: 1, left: 1), Stock(left: 1),
        Bundle(
          request: 1, offer: PrekeyOffer(signed: ann.signedPrekey(at: registry.key), oneTime: nil)),
        Ready(stream: 0, limit: 1), Chat(id: id, first: true, envelope: envelope), Ack(id: id), Inquire(),
        Refuse(id: id, reason: .busy), Accept(stream: 1), Cancel(stream: 1, reason: .stopped),
        Offer(stream: 1, id: id, items: 1, entries: 1, bytes: 1, name: "x"),
        End(stream: 1, size: 1, digest: nil),
      ]
      for frame in frames {
        let client = try await registry.client(of: ann)
        if isLoggedIn { #expect(try await client.logIn(ann).loggedIn != nil) }
        client.link.send(anything: frame)
        #expect(await client.ending() != nil, "\(type(of: frame).type)")
      }
      #expect(await eventually { registry.registry.onlineCount == 1 })
      #expect(try await others.heartbeat().alive != nil)
    }
  }

  @Test func anyNumberOfARequestIsAnsweredByItself() async throws {
    try await withRegistry { registry in
      let client = try await registry.online(User("ann"))
      let numbers: [UInt32] = [0, 0, 7, 7, .max, 1 << 31]
      for number in numbers { client.link.send(Heartbeat(request: number)) }
      for number in numbers { #expect(try await client.next().request == number) }
    }
  }

  /// A third message that says something is another protocol's.
  @Test func aHandshakeThatSaysSomethingIsRefused() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let link = try await SealedLink.connect(
        registry.stream(), prologue: Prologue.registry, local: user.secret.link, remote: registry.key
      ) { (_) throws(LinkError) in [1] }
      #expect(await Client(link).ending() == .closed(.protocolError))
    }
  }

  // MARK: Connections

  /// Passes one connection on to the registry, and keeps what its client sends and how much comes back first.
  @LoopActor private final class Recorder {
    private(set) var sent: [UInt8] = []
    private let listener: Listener

    init(_ registry: TestRegistry) throws {
      listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
      Loop.spawn {
        guard let near = try? await self.listener.accept(), let far = try? await registry.stream() else {
          return
        }
        Loop.spawn { await Self.pump(far, near) { _ in } }
        await Self.pump(near, far) { self.sent += $0 }
      }
    }

    func stream() async throws -> ByteStream {
      try await .connect(to: try #require(listener.address), timeout: 60_000)
    }

    private static func pump(
      _ source: ByteStream, _ target: ByteStream, _ keep: ([UInt8]) -> Void
    ) async {
      while (try? await source.fill(atLeast: 1)) != nil {
        let count = source.buffered
        let bytes = source.withBuffered { (span: inout MutableRawSpan) in
          span.bytes.extracting(0..<count).array
        }
        source.consume(count)
        keep(bytes)
        target.write(bytes.raw)
        target.flush()
      }
      target.close()
    }
  }

  /// All that a client has ever sent, sent again: REGISTER, LOGIN, LOGOUT. The registry answers the first message of the
  /// handshake, and nothing after it.
  @Test func aRecordedConnectionRunsNoSecondTime() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let recorder = try Recorder(registry)
      let client = Client(
        try await SealedLink.connect(
          recorder.stream(), prologue: Prologue.registry, local: user.secret.link, remote: registry.key))
      #expect(try await registry.register(user, over: client).registered != nil)
      #expect(try await client.logIn(user).loggedIn != nil)
      #expect(try await client.logOut().loggedOut != nil)
      client.link.close()
      #expect(await eventually { registry.registry.onlineCount == 0 })
      let online = try await registry.online(user, port: 5_000)

      let stream = try await registry.stream()
      stream.write(recorder.sent.raw)
      stream.flush()
      var answer = 0
      let end = await failure { () throws(NetError) in
        while true {
          try await stream.fill(atLeast: 1, deadline: .now + 60_000)
          answer += stream.buffered
          stream.consume(stream.buffered)
        }
      }
      #expect(answer == 2 + 48 && (end == .closed || end == .reset))
      #expect(try await online.lookUp(user.name).found?.address?.port == 5_000)
    }
  }
}

extension SealedLink {
  fileprivate func send(anything message: any WireMessage) { send(message) }
}
