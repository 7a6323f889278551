internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// One client's link and what it has logged in as. The link's key is the only proof of who asks: no request names on
/// whose behalf it comes, but LOGIN, which must name the device that the handshake proved.
@LoopActor final class Session {
  let link: SealedLink
  let visit: Visit
  let registry: Registry

  private(set) var attendee: Attendee?
  /// When the session, or the link without one, ends.
  private(set) var expiry: Instant
  private var refusals = 0
  /// Whether something is waited for before the next request is looked at.
  private var isBusy = false

  private var watched: Set<UserName> = []
  /// Watched names whose presence is yet to be told: each once, however often it changed.
  private var untold: Set<UserName> = []
  private var isTelling = false

  /// So many names in a WATCH or a LISTED cost as much as another request.
  private static let namesPerToken = 50

  /// So many requests are answered before others have their turn.
  private static let framesAtOnce = 64

  /// Output that may wait while requests are answered; one LISTED may come on top.
  private static let backlog = 32 << 10

  /// A REGISTER, with room to spare.
  private static let frameBeforeLogin = 4 << 10
  /// The largest request, a WATCH of 1,000 names, takes 33 KB.
  private static let frame = 36 << 10

  init(_ link: SealedLink, _ visit: Visit, registry: Registry) {
    self.link = link
    self.visit = visit
    self.registry = registry
    link.writePatience = registry.configuration.writePatience
    expiry = .now + registry.configuration.greeting
  }

  /// Answers what has come, then waits for more. Nothing of a session that waits lies on a task's stack: most of them do,
  /// most of the time.
  func proceed() {
    do throws(LinkError) {
      for _ in 0..<Self.framesAtOnce {
        link.frameLimit = attendee == nil ? Self.frameBeforeLogin : Self.frame
        let incoming = try link.next { (type, body) throws(WireError) in
          try Incoming(type: type, body: body, isLoggedIn: attendee != nil)
        }
        switch incoming {
        case nil: return link.whenReady { self.proceed() }
        case .request(let request): answer(request)
        case .early(let request): refuse(request, .notLoggedIn)
        }
        // It goes on when what it waits for is there.
        if isBusy { return }
        // A client that does not read its answers is not asked for more requests.
        if link.backlog > Self.backlog { return later { try? await self.link.drain(below: Self.backlog) } }
      }
      // It is the others' turn.
      later {}
    } catch {
      registry.log.debug("a link ended: \(error)")
      end()
      registry.ended(self)
    }
  }

  /// Goes on after work that waits.
  private func later(_ work: @escaping @LoopActor () async -> Void) {
    isBusy = true
    Loop.spawn {
      await work()
      self.isBusy = false
      self.proceed()
    }
  }

  /// Takes the session away; the link may stay.
  private func end() {
    if let attendee {
      registry.board.leave(self, attendee.account.name)
      registry.board.exit(self, attendee.account.name)
      registry.board.watchers.remove(watched, for: self, of: attendee.account.name)
    }
    attendee = nil
    watched = []
    untold = []
  }

  /// Ends session and link at once.
  func close(_ reason: Close.Reason) {
    end()
    link.close(reason)
  }

  // MARK: Answers

  private enum Incoming {
    case request(RegistryRequest)
    case early(EarlyRequest)

    /// Of a request that needs a session and has none, no more is read than its refusal says.
    init(type: FrameType, body: RawSpan, isLoggedIn: Bool) throws(WireError) {
      guard !isLoggedIn, EarlyRequest.types.contains(type) else {
        self = .request(try RegistryRequest(type: type, body: body))
        return
      }
      var reader = WireReader(body)
      self = .early(EarlyRequest(type: type, request: try reader.u32()))
    }
  }

  private func answer(_ request: RegistryRequest) {
    switch request {
    case .register(let message): later { await self.register(message) }
    case .login(let message): logIn(message)
    case .list(let message): list(message)
    case .lookup(let message): lookUp(message)
    case .heartbeat(let message): heartbeat(message)
    case .logout(let message): logOut(message)
    case .watch(let message): watch(message)
    case .publish(let message): later { await self.publish(message) }
    case .fetch(let message): later { await self.fetch(message) }
    }
  }

  func refuse(_ request: some Numbered, _ reason: Failure.Reason, wait milliseconds: Int = 0) {
    let seconds = UInt32(clamping: (milliseconds + 999) / 1_000)
    link.send(Failure(request: request.request, reason: reason, wait: seconds))
    registry.tally.count(request)
    guard attendee == nil else { return }
    refusals += 1
    if refusals > registry.configuration.refusals { close(.protocolError) }
  }

  func fail(_ request: some Numbered, _ error: StoreError) {
    registry.log.error("the store failed: \(error)")
    refuse(request, .unavailable)
  }

  private func register(_ message: Register) async {
    if let wait = registry.signups.take(visit.key, now: Instant.now.milliseconds) {
      return refuse(message, .rateLimited, wait: wait)
    }
    guard let list = try? SignedDeviceList(verifying: message.list.raw), isOwn(list, message) else {
      return refuse(message, .badRequest)
    }
    do throws(StoreError) {
      let outcome = try await registry.accounts.claim(StoredAccount(list))
      switch outcome {
      case .claimed, .already, .updated: refusals = 0
      case .outdated, .taken: break
      }
      switch outcome {
      case .claimed:
        registry.log.info("an account was registered")
        link.send(Registered(request: message.request, already: false))
      case .already:
        // A few are free; more of them are work like any other.
        if registry.repeats.take(visit.key, now: Instant.now.milliseconds) == nil {
          registry.signups.refund(visit.key)
        }
        link.send(Registered(request: message.request, already: true))
      case .updated:
        link.send(Registered(request: message.request, already: true))
        registry.revoke(after: list)
      case .outdated: refuse(message, .badRequest)
      case .taken: refuse(message, .nameTaken)
      }
    } catch { fail(message, error) }
  }

  /// Whether the list is for this registry, from whoever has its identity key, and has the device of this link.
  private func isOwn(_ list: SignedDeviceList, _ message: Register) -> Bool {
    let account = list.list.account
    let statement = Register.statement(
      handshakeHash: link.handshakeHash, account: account, list: message.list)
    return account.registry == registry.key
      && attendee.map { $0.account.name == account.name } ?? true
      && list.list.devices.contains { $0.link == link.remoteKey }
      && list.list.identity.verifies(message.signature, label: Labels.register, message: statement.raw)
  }

  private func logIn(_ message: Login) {
    if let attendee, attendee.account.name != message.name || attendee.device != message.device {
      return refuse(message, .badRequest)
    }
    // Asked before the name is looked at: who knows nothing learns nothing, and costs nothing.
    if attendee == nil, let wait = registry.failedLogins.wait(visit.key, now: Instant.now.milliseconds) {
      return refuse(message, .rateLimited, wait: wait)
    }
    find(message.name, for: message) { self.logIn(message, $0) }
  }

  private func logIn(_ message: Login, _ account: StoredAccount?) {
    // One answer for no name, no device and another key.
    guard let account, let device = account.list.list.device(message.device), device.link == link.remoteKey
    else {
      _ = registry.failedLogins.take(visit.key, now: Instant.now.milliseconds)
      return refuse(message, .loginFailed)
    }
    if let wait = registry.logins.take(message.name, now: Instant.now.milliseconds) {
      return refuse(message, .rateLimited, wait: wait)
    }
    let board = registry.board
    guard attendee != nil || board.hasRoom(for: message.name, device: device.id, port: message.port) else {
      return refuse(message, .tooMany)
    }
    guard !link.isClosed, let remote = link.remoteAddress,
      let address = NetworkAddress(bytes: remote.bytes, port: message.port)
    else { return refuse(message, .unavailable) }
    if attendee == nil { board.enter(self, message.name) }
    let attendee = Attendee(account: account, device: device.id, address: address)
    self.attendee = attendee
    refusals = 0
    expiry = .now + registry.configuration.life
    if attendee.isReachable {
      board.join(self, attendee)?.close(.replaced)
    } else {
      board.leave(self, message.name)
    }
    let configuration = registry.configuration
    link.send(
      LoggedIn(
        request: message.request, address: address, life: Self.seconds(configuration.life),
        heartbeat: Self.seconds(configuration.heartbeat)))
  }

  private func list(_ message: List) {
    let entries = min(registry.board.count, SecchatCore.Limits.listPage)
    guard mayAsk(message, naming: entries) else { return }
    let page = registry.board.page(after: message.after, limit: SecchatCore.Limits.listPage)
    link.send(Listed(request: message.request, more: page.more, entries: page.entries))
  }

  private func lookUp(_ message: Lookup) {
    guard mayAsk(message) else { return }
    find(message.name, for: message) { account in
      guard let account else { return self.refuse(message, .unknownName) }
      let address = self.registry.board.address(of: message.name)
      self.link.send(Found(request: message.request, address: address, list: account.list.encoded))
    }
  }

  /// Hands the account of that name to `body`: at once where it is in memory.
  private func find(
    _ name: UserName, for request: some Numbered & Sendable,
    _ body: @escaping @LoopActor (StoredAccount?) -> Void
  ) {
    if let account = registry.accounts.known(name) { return body(account) }
    later {
      do throws(StoreError) {
        body(try await self.registry.accounts.account(named: name))
      } catch { self.fail(request, error) }
    }
  }

  /// Takes of the user's tokens, more for a request or an answer that names many.
  func mayAsk(_ message: some Numbered, naming names: Int = 0) -> Bool {
    guard let attendee else {
      refuse(message, .notLoggedIn)
      return false
    }
    let wait = registry.lookups.take(
      attendee.account.name, cost: 1 + names / Self.namesPerToken, now: Instant.now.milliseconds)
    guard let wait else { return true }
    refuse(message, .rateLimited, wait: wait)
    return false
  }

  private func heartbeat(_ message: Heartbeat) {
    expiry = .now + registry.configuration.life
    link.send(Alive(request: message.request, life: Self.seconds(registry.configuration.life)))
  }

  private func logOut(_ message: Logout) {
    end()
    expiry = .now + registry.configuration.greeting
    link.send(LoggedOut(request: message.request))
  }

  private static func seconds(_ milliseconds: Int) -> UInt32 {
    UInt32(clamping: (milliseconds + 999) / 1_000)
  }

  // MARK: Watching

  private func watch(_ message: Watch) {
    guard mayAsk(message, naming: message.names.count), let attendee else { return }
    let watchers = registry.board.watchers
    let names = Set(message.names)
    if message.add {
      guard watched.union(names).count <= SecchatCore.Limits.watchedNames,
        watchers.add(names, for: self, of: attendee.account.name)
      else { return refuse(message, .tooMany) }
      let new = names.subtracting(watched)
      watched.formUnion(new)
      link.send(Watching(request: message.request))
      push(new)
    } else {
      watched.subtract(names)
      untold.subtract(names)
      watchers.remove(names, for: self, of: attendee.account.name)
      link.send(Watching(request: message.request))
    }
  }

  /// Tells the presence of `names` when the link has room: what it is then, not what it was.
  func push(_ names: Set<UserName>) {
    untold.formUnion(names)
    guard !isTelling, !untold.isEmpty else { return }
    isTelling = true
    Loop.spawn { await self.tell() }
  }

  private func tell() async {
    defer { isTelling = false }
    while !untold.isEmpty {
      let batch = untold
      untold = []
      for name in batch where watched.contains(name) {
        link.send(Presence(name: name, address: registry.board.address(of: name)))
        guard link.backlog > Self.backlog else { continue }
        do throws(LinkError) { try await link.drain(below: Self.backlog) } catch { return }
      }
    }
  }
}

/// A request that needs a session and came without one.
struct EarlyRequest: Numbered {
  static let types: Set<FrameType> = [
    .list, .lookup, .heartbeat, .logout, .watch, .publish, .fetch,
  ]

  let type: FrameType
  var request: UInt32
}
