import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet

/// A registry that speaks the protocol and answers as its owner, the attacker, likes.
@LoopActor final class LyingRegistry {
  let key: LinkKeyPair
  private let listener: Listener
  private var links: [SealedLink] = []
  private var online: [UserName: SealedLink] = [:]
  private(set) var logins = 0

  /// What REGISTER brought, by name.
  private(set) var lists: [UserName: SignedDeviceList] = [:]
  /// Where LOGIN said that peers are reached.
  private(set) var addresses: [UserName: NetworkAddress] = [:]
  /// What PUBLISH brought, by name.
  private(set) var publishes: [UserName: [Publish]] = [:]
  /// How often each name was looked up.
  private(set) var lookups: [UserName: Int] = [:]
  /// What is there of each one's prekeys, and the ids of those that were given out.
  private var prekeys: [UserName: Shelf] = [:]
  private(set) var given: [UserName: [UInt32]] = [:]
  private struct Shelf {
    var signed: SignedPrekey?
    var keys: [OneTimePrekey] = []
  }

  /// Answers in place of the truth.
  var answer: ((RegistryRequest) -> (any WireMessage)?)?
  /// What goes out before the answer, asked for or not.
  var unasked: ((RegistryRequest) -> [any WireMessage])?
  /// Runs before anything is answered.
  var beforeAnswer: ((RegistryRequest) async -> Void)?

  init(port: UInt16 = 0) throws {
    key = try .random()
    guard let address = SocketAddress("127.0.0.1:\(port)") else { throw NetError.invalidAddress }
    listener = try Listener(address: address)
    _ = Loop.spawn { await self.run() }
  }

  var port: UInt16 { listener.address?.port ?? 0 }
  var keyText: String { KeyText.encode(registry: key.publicKey) }

  /// Tells the client of a name something unasked.
  func push(_ message: some WireMessage, to name: UserName) {
    online[name]?.send(message)
    online[name]?.flush()
  }

  /// Has an account that never registered.
  func enrol(_ list: SignedDeviceList, at address: NetworkAddress? = nil) {
    lists[list.list.account.name] = list
    addresses[list.list.account.name] = address
  }

  /// Ends a client's link, by default as for another program's log-in.
  func end(_ name: UserName, _ reason: Close.Reason = .replaced) { online[name]?.close(reason) }

  /// Ends all links, and goes on listening.
  func hangUp() {
    for link in links { link.abort() }
  }

  func stop() {
    listener.close()
    for link in links { link.abort() }
  }

  private func run() async {
    while let stream = try? await listener.accept() {
      _ = Loop.spawn { await self.serve(stream) }
    }
  }

  private func serve(_ stream: ByteStream) async {
    guard
      let link = try? await SealedLink.acceptOrTellKey(stream, prologue: Prologue.registry, local: key)
    else { return }
    links.append(link)
    var name: UserName?
    while true {
      let request: RegistryRequest
      do {
        request = try await link.receive { (type, body) throws(WireError) in
          try RegistryRequest(type: type, body: body)
        }
      } catch { return }
      if case .login(let login) = request { name = login.name }
      await beforeAnswer?(request)
      if case .login(let login) = request, login.port != 0 {
        // As the real one: the old link ends before the new one has its answer.
        online[login.name]?.close(.replaced)
        online[login.name] = link
      }
      switch request {
      case .publish(let publish): if let name { publishes[name, default: []].append(publish) }
      case .lookup(let lookup): lookups[lookup.name, default: 0] += 1
      default: break
      }
      for message in unasked?(request) ?? [] { link.send(erased: message) }
      link.send(erased: answer?(request) ?? truth(request, of: name))
    }
  }

  /// - Parameter name: who has logged in on the link.
  private func truth(_ request: RegistryRequest, of name: UserName?) -> any WireMessage {
    switch request {
    case .register(let register):
      guard let list = try? SignedDeviceList(verifying: register.list.raw) else {
        return Failure(request: register.request, reason: .badRequest)
      }
      lists[list.list.account.name] = list
      return Registered(request: register.request, already: false)
    case .login(let login):
      logins += 1
      let address = NetworkAddress(bytes: [127, 0, 0, 1], port: login.port)
      addresses[login.name] = login.port == 0 ? nil : address
      return LoggedIn(
        request: login.request, address: address ?? NetworkAddress(unspecified: ()), life: 90, heartbeat: 30)
    case .list(let list): return Listed(request: list.request, more: false, entries: [])
    case .lookup(let lookup):
      guard let list = lists[lookup.name] else {
        return Failure(request: lookup.request, reason: .unknownName)
      }
      return Found(request: lookup.request, address: addresses[lookup.name], list: list.encoded)
    case .heartbeat(let beat): return Alive(request: beat.request, life: 90)
    case .logout(let logout): return LoggedOut(request: logout.request)
    case .watch(let watch): return Watching(request: watch.request)
    case .publish(let publish):
      guard let name else { return Failure(request: publish.request, reason: .notLoggedIn) }
      var mine = publish.replace ? Shelf() : prekeys[name] ?? Shelf()
      mine.signed = publish.signed ?? mine.signed
      mine.keys.removeAll { publish.used.contains($0.id) }
      mine.keys += publish.keys
      prekeys[name] = mine
      return Published(
        request: publish.request, signed: mine.signed?.id ?? 0, left: UInt16(mine.keys.count))
    case .fetch(let fetch):
      guard let mine = prekeys[fetch.name], let signed = mine.signed else {
        return Failure(request: fetch.request, reason: .noPrekeys)
      }
      let oneTime = mine.keys.first
      if let oneTime {
        prekeys[fetch.name]?.keys.removeFirst()
        given[fetch.name, default: []].append(oneTime.id)
      }
      return Bundle(request: fetch.request, offer: PrekeyOffer(signed: signed, oneTime: oneTime))
    }
  }
}

extension NetworkAddress {
  /// 0.0.0.0, port 0.
  init(unspecified: Void) {
    guard let address = NetworkAddress(bytes: [0, 0, 0, 0], port: 0) else { preconditionFailure() }
    self = address
  }
}

extension SealedLink {
  fileprivate func send(erased message: any WireMessage) { send(message) }
}
