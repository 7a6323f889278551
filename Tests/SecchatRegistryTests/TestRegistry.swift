import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

/// A registry of this process on a loopback port, with its store in a folder of its own.
@LoopActor final class TestRegistry {
  let registry: Registry
  let store: SQLiteStore
  let folder: TemporaryFolder

  init(
    host: String = "127.0.0.1", log: Log = .silent,
    configure: (inout RegistryConfiguration) -> Void = { _ in }
  ) throws {
    folder = try TemporaryFolder()
    store = try SQLiteStore(path: folder.file("registry.db"))
    var configuration = RegistryConfiguration()
    // Longer than a test waits for a refusal: that a handshake ran out of time is none.
    configuration.handshakeTime = 60_000
    configure(&configuration)
    registry = try Registry(
      address: try #require(SocketAddress(host: host, port: 0)), keys: .random(), store: store,
      configuration: configuration, log: log)
  }

  var key: LinkPublicKey { registry.key }

  func stream(host: String = "127.0.0.1") async throws -> ByteStream {
    let address = try #require(SocketAddress(host: host, port: registry.address.port))
    return try await ByteStream.connect(to: address, timeout: 60_000)
  }

  /// A link of a device with these keys.
  func client(_ keys: LinkKeyPair, host: String = "127.0.0.1") async throws -> Client {
    let link = try await SealedLink.connect(
      stream(host: host), prologue: Prologue.registry, local: keys, remote: key)
    return Client(link)
  }

  func client(of user: User, host: String = "127.0.0.1") async throws -> Client {
    try await client(user.secret.link, host: host)
  }

  /// A link of a user who is in the store and has logged in.
  func online(_ user: User, port: UInt16 = 4_000, host: String = "127.0.0.1") async throws -> Client {
    _ = try await store.claim(user.account(at: key))
    let client = try await client(of: user, host: host)
    _ = try #require(try await client.logIn(user, port: port).loggedIn)
    return client
  }

  func register(_ user: User, over client: Client) async throws -> RegistryAnswer {
    try await client.register(user.list(at: key), by: user)
  }
}

/// One client's side of a link to a registry: asks, and keeps what comes unasked.
@LoopActor final class Client {
  let link: SealedLink
  private var last: UInt32 = 0
  private var presences: [Presence] = []
  private(set) var stocks: [UInt16] = []

  init(_ link: SealedLink) {
    self.link = link
    link.deadline = .now + 60_000
  }

  func next() async throws -> RegistryAnswer {
    try await link.receive { (type, body) throws(WireError) in try RegistryAnswer(type: type, body: body) }
  }

  func ask(_ make: (UInt32) -> some WireMessage) async throws -> RegistryAnswer {
    last += 1
    link.send(make(last))
    while true {
      let answer = try await next()
      switch answer {
      case .presence(let presence): presences.append(presence)
      case .stock(let stock): stocks.append(stock.left)
      default:
        #expect(answer.request == last)
        return answer
      }
    }
  }

  func presence() async throws -> Presence {
    if !presences.isEmpty { return presences.removeFirst() }
    guard case .presence(let presence) = try await next() else {
      Issue.record("an answer that nobody asked for")
      throw LinkError.protocolError
    }
    return presence
  }

  /// Why the registry ended the link.
  func ending() async -> LinkError? {
    await failure { () throws(LinkError) in
      while true { _ = try await link.receive { (_, _) throws(WireError) in } }
    }
  }

  // MARK: Requests

  func register(_ list: SignedDeviceList, by user: User) async throws -> RegistryAnswer {
    let statement = Register.statement(
      handshakeHash: link.handshakeHash, account: list.list.account, list: list.encoded)
    let signature = user.secret.identity.sign(label: Labels.register, message: statement.raw)
    return try await ask { Register(request: $0, list: list.encoded, signature: signature) }
  }

  func logIn(_ user: User, device: UInt32 = 1, port: UInt16 = 4_000) async throws -> RegistryAnswer {
    try await ask { Login(request: $0, name: user.name, device: device, port: port) }
  }

  func logOut() async throws -> RegistryAnswer { try await ask { Logout(request: $0) } }
  func heartbeat() async throws -> RegistryAnswer { try await ask { Heartbeat(request: $0) } }
  func lookUp(_ name: UserName) async throws -> RegistryAnswer {
    try await ask { Lookup(request: $0, name: name) }
  }

  func watch(_ names: [UserName], add: Bool = true) async throws -> RegistryAnswer {
    try await ask { Watch(request: $0, add: add, names: names) }
  }

  func list(after name: UserName? = nil) async throws -> Listed {
    try #require(try await ask { List(request: $0, after: name) }.listed)
  }
}

extension RegistryAnswer {
  var registered: Registered? { if case .registered(let message) = self { message } else { nil } }
  var loggedIn: LoggedIn? { if case .loggedIn(let message) = self { message } else { nil } }
  var listed: Listed? { if case .listed(let message) = self { message } else { nil } }
  var found: Found? { if case .found(let message) = self { message } else { nil } }
  var alive: Alive? { if case .alive(let message) = self { message } else { nil } }
  var loggedOut: LoggedOut? { if case .loggedOut(let message) = self { message } else { nil } }
  var watching: Watching? { if case .watching(let message) = self { message } else { nil } }
  var published: Published? { if case .published(let message) = self { message } else { nil } }
  var offer: PrekeyOffer? { if case .bundle(let message) = self { message.offer } else { nil } }
  var failure: Failure.Reason? { if case .failure(let message) = self { message.reason } else { nil } }
}

/// Runs `test` on the loop with a registry that is stopped afterwards.
func withRegistry(
  host: String = "127.0.0.1", log: Log = .silent,
  configure: @escaping @Sendable (inout RegistryConfiguration) -> Void = { _ in },
  _ test: @escaping @LoopActor @Sendable (TestRegistry) async throws -> Void
) async throws {
  try await serve(host: host, log: log, configure: configure, test)
}

@LoopActor private func serve(
  host: String, log: Log, configure: (inout RegistryConfiguration) -> Void,
  _ test: @LoopActor @Sendable (TestRegistry) async throws -> Void
) async throws {
  let registry = try TestRegistry(host: host, log: log, configure: configure)
  do {
    try await test(registry)
  } catch {
    await registry.registry.stop()
    throw error
  }
  await registry.registry.stop()
}
