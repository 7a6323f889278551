package import SecchatCore
internal import SecchatLink
package import SecchatNet

/// The server: takes connections, and lets a `Session` answer each.
@LoopActor package final class Registry {
  /// Its public key, which its clients know it by.
  package let key: LinkPublicKey
  /// Where it listens, with the port that the system picked where none was asked for.
  package let address: SocketAddress

  let configuration: RegistryConfiguration
  let log: Log
  let board: PresenceBoard
  let accounts: AccountDirectory
  var signups: RateLimiter<SocketAddress.RateKey>
  var repeats: RateLimiter<SocketAddress.RateKey>
  var lookups: RateLimiter<UserName>
  var logins: RateLimiter<UserName>
  var publishes: RateLimiter<UserName>
  var prekeysTaken: RateLimiter<UserName>
  var failedLogins: RateLimiter<SocketAddress.RateKey>
  /// What was refused since the log last told.
  var tally = Tally()

  /// What a client may send ahead: room for the largest frame that a session may send.
  private static let inputCapacity = 64 << 10

  private let keys: LinkKeyPair
  let store: any RegistryStore
  /// Held so that its lock is.
  private let folder: DataFolder?
  private let listener: Listener
  private let admission: Admission
  private var sessions: [UInt64: Session] = [:]
  private var handshakes: [UInt64: Visit] = [:]
  private var sweeper: Task<Void, Never>?
  private var forgetter: Task<Void, Never>?
  private var isStopping = false
  private let idle = OneShot<Bool>()

  /// Listens on `address` and serves until `stop`. The store is closed by `stop`.
  package init(
    address: SocketAddress, keys: LinkKeyPair, store: any RegistryStore,
    folder: DataFolder? = nil, configuration: RegistryConfiguration = RegistryConfiguration(),
    log: Log = .silent
  ) throws(NetError) {
    listener = try Listener(address: address, inputCapacity: Self.inputCapacity)
    self.address = listener.address ?? address
    self.keys = keys
    key = keys.publicKey
    self.store = store
    self.folder = folder
    self.configuration = configuration
    self.log = log
    accounts = AccountDirectory(store, cached: configuration.cachedAccounts)
    board = PresenceBoard(configuration)
    admission = Admission(configuration)
    signups = RateLimiter(configuration.signups)
    repeats = RateLimiter(configuration.repeats)
    lookups = RateLimiter(configuration.lookups)
    logins = RateLimiter(configuration.logins)
    publishes = RateLimiter(configuration.publishes)
    prekeysTaken = RateLimiter(configuration.prekeysTaken)
    failedLogins = RateLimiter(configuration.failedLogins)
    Loop.spawn { await self.takeConnections() }
    sweeper = Loop.spawn { await self.sweep() }
    forgetter = Loop.spawn { await self.forget() }
  }

  /// How many users are online.
  package var onlineCount: Int { board.count }

  // MARK: Connections

  private func takeConnections() async {
    while !isStopping {
      do throws(NetError) {
        take(try await listener.accept())
      } catch {
        if error == .closed { return }
        log.warning("a connection could not be taken: \(error)")
      }
    }
  }

  private func take(_ stream: ByteStream) {
    guard !isStopping, let remote = stream.remoteAddress else { return stream.abort() }
    do throws(Admission.Refusal) {
      let visit = try admission.admit(stream, from: remote.rateKey)
      handshakes[visit.id] = visit
      Loop.spawn { await self.serve(visit) }
    } catch {
      tally.turnedAway += 1
      log.debug("\(remote) was turned away: \(error)")
      stream.abort()
    }
  }

  private func serve(_ visit: Visit) async {
    let link = await shakeHands(visit)
    handshakes[visit.id] = nil
    guard let link else { return await leave(visit) }
    let session = Session(link, visit, registry: self)
    sessions[visit.id] = session
    session.proceed()
  }

  /// The link, where it may have a session.
  private func shakeHands(_ visit: Visit) async -> SealedLink? {
    let link: SealedLink?
    do throws(LinkError) {
      link = try await SealedLink.acceptOrTellKey(
        visit.stream, prologue: Prologue.registry, local: keys, time: configuration.handshakeTime)
    } catch {
      tally.handshakes += 1
      log.debug("a handshake failed: \(error)")
      return nil
    }
    admission.settle(visit)
    guard let link else { return nil }
    // The third message carries nothing here; whoever fills it speaks another protocol.
    guard !isStopping, link.remotePayload.isEmpty else {
      link.close(isStopping ? .goingAway : .protocolError)
      return nil
    }
    return link
  }

  /// A session's link has ended.
  func ended(_ session: Session) {
    sessions[session.visit.id] = nil
    Loop.spawn { await self.leave(session.visit) }
  }

  private func leave(_ visit: Visit) async {
    if isStopping { finishIfIdle() }
    // What still sends its rest has its descriptor, and counts.
    await visit.stream.gone()
    admission.leave(visit)
  }

  // MARK: Sessions

  /// Ends what has outlived its time, and tells the log what was refused.
  private func sweep() async {
    let shortest = min(configuration.life, configuration.greeting)
    let interval = min(1_000, max(20, shortest / 10), configuration.summary)
    var told = Instant.now
    while (try? await Loop.sleep(for: interval)) != nil {
      let now = Instant.now
      for session in sessions.values where session.expiry <= now { session.close(.idle) }
      guard now - told >= configuration.summary else { continue }
      told = now
      if let line = tally.line { log.info(line) }
      tally = Tally()
    }
  }

  /// Has the store forget who was handed which prekeys, when that is long ago.
  private func forget() async {
    while !isStopping {
      do throws(StoreError) {
        while try await store.forgetPrekeys(now: configuration.clock()) {}
      } catch {
        if !isStopping { log.error("the store failed: \(error)") }
      }
      guard (try? await Loop.sleep(for: configuration.forgetting)) != nil else { return }
    }
  }

  /// Ends the sessions of devices that `list`, the newest of its account, does not have any more.
  func revoke(after list: SignedDeviceList) {
    for session in sessions.values {
      guard let attendee = session.attendee, attendee.account.name == list.list.account.name else { continue }
      if list.list.device(attendee.device)?.link != session.link.remoteKey { session.close(.done) }
    }
  }

  // MARK: Stopping

  /// Tells every client, closes every link and the store.
  package func stop() async {
    guard !isStopping else { return }
    isStopping = true
    listener.close()
    sweeper?.cancel()
    forgetter?.cancel()
    for visit in handshakes.values { visit.stream.abort() }
    for session in sessions.values { session.close(.goingAway) }
    finishIfIdle()
    // Nothing waits long here but a disk that hangs.
    _ = try? await idle.wait(deadline: .now + 5_000)
    await store.close()
  }

  private func finishIfIdle() {
    if sessions.isEmpty, handshakes.isEmpty { idle.fulfil(true) }
  }
}
