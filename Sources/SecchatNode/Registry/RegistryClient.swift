internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// Keeps a profile logged in at its registry: comes back by itself with growing pauses, beats, watches. A registry that
/// is away never ends a conversation between peers.
@LoopActor final class RegistryClient {
  private let identity: SecretIdentity
  private let account: Account
  private let registry: RegistryAddress
  /// Where peers reach this node; 0: nowhere.
  private let port: UInt16

  private var link: RegistryLink?
  /// The attempt under way, for all who wait for it, and how the last one failed.
  private var connecting: Task<Void, Never>?
  private var lastError: NodeError?
  private var keeper: Task<Void, Never>?
  private var ended: OneShot<Void>?
  private var watched: Set<UserName> = []
  private(set) var loggedIn: LoggedIn?
  private var hasBeenOnline = false
  private var isStopped = false
  /// Whether a log-in is under way that ends the link before it.
  private var isReplacing = false
  /// How old a link may become before another takes its place (milliseconds).
  private let renewal: Int

  var onOnline: (LoggedIn) -> Void = { _ in }
  /// With the reason, and whether the client tries again by itself.
  var onOffline: (NodeError, _ retrying: Bool) -> Void = { _, _ in }
  var onPresence: (Presence) -> Void = { _ in }
  /// Few of this device's one-time prekeys are left at the registry.
  var onStock: (Stock) -> Void = { _ in }

  private static let firstPause = 500
  private static let longestPause = 60_000

  init(
    identity: SecretIdentity, account: Account, registry: RegistryAddress, port: UInt16,
    renewal: Int = Limits.linkAge
  ) {
    self.renewal = renewal
    self.identity = identity
    self.account = account
    self.registry = registry
    self.port = port
  }

  var isOnline: Bool { link?.isOpen ?? false }

  /// The logged-in link; logs in where there is none.
  func session() async throws(NodeError) -> RegistryLink {
    if let link, link.isOpen { return link }
    return try await logIn()
  }

  /// Logs in over a new link, once for all who wait for it.
  private func logIn() async throws(NodeError) -> RegistryLink {
    let attempt =
      connecting
      ?? Loop.spawn {
        do throws(NodeError) { try await self.open() } catch { self.lastError = error }
        self.connecting = nil
      }
    connecting = attempt
    await attempt.value
    if let link, link.isOpen { return link }
    throw lastError ?? RegistryLink.unreachable(registry.host, registry.port, .closed)
  }

  private func open() async throws(NodeError) {
    let fresh = try await RegistryLink.connect(registry, as: identity)
    do throws(NodeError) {
      try checkNotStopped()
      fresh.onPresence = { [weak self] presence in
        // Of others it was not asked.
        guard let self, self.watched.contains(presence.name) else { return }
        self.onPresence(presence)
      }
      fresh.onStock = { [weak self] stock in self?.onStock(stock) }
      isReplacing = true
      defer { isReplacing = false }
      let answer = try await fresh.login(account.name, device: identity.device, port: port)
      try checkNotStopped()
      guard fresh.isOpen else { throw RegistryLink.unreachable(registry.host, registry.port, .closed) }
      let old = link
      link = fresh
      isReplacing = false
      fresh.onEnd = { [weak self, weak fresh] error in
        if let self, let fresh, self.link === fresh { self.didEnd(error) }
      }
      old?.close(.replaced)
      loggedIn = answer
      hasBeenOnline = true
      // Watching less than wished is no reason not to be online.
      if !watched.isEmpty { try? await fresh.watch(Array(watched.sorted().prefix(Limits.watchedNames))) }
      try checkNotStopped()
      onOnline(answer)
    } catch {
      fresh.close()
      if link === fresh { link = nil }
      throw error
    }
  }

  private func checkNotStopped() throws(NodeError) {
    guard !isStopped else { throw NodeError(.authentication, "this profile is logged out") }
  }

  private func didEnd(_ error: LinkError) {
    link = nil
    loggedIn = nil
    // The registry ends the old link before it has answered the log-in over the new one.
    guard !isReplacing else { return }
    ended?.fulfil(())
    guard error != .closed(.replaced) else {
      // Coming back would take the other program's place, and it ours, for ever.
      keeper?.cancel()
      keeper = nil
      onOffline(
        NodeError(
          .authentication, "another program has logged in with this identity",
          hint: "end it, then `secchat login`"), false)
      return
    }
    onOffline(RegistryLink.unreachable(registry.host, registry.port, .closed), keeper != nil)
  }

  /// Adds a name to those whose presence is told.
  func watch(_ names: [UserName]) async {
    let fresh = names.filter { watched.insert($0).inserted }
    guard !fresh.isEmpty, let link, link.isOpen else { return }
    try? await link.watch(fresh)
  }

  // MARK: Staying

  /// Stays logged in from now on.
  ///
  /// - Parameter onGiveUp: told why when the registry refuses the very first log-in.
  func stay(onGiveUp: @escaping (NodeError) -> Void) {
    guard keeper == nil, !isStopped else { return }
    keeper = Loop.spawn { [weak self] in
      var pause = RegistryClient.firstPause
      while !Task.isCancelled {
        guard let client = self else { return }
        do throws(NodeError) {
          var link = try await client.session()
          if link.age >= client.renewal {
            link = try await client.logIn()
          } else {
            try await client.beat(over: link)
          }
          pause = RegistryClient.firstPause
          let period = max(1, Int(client.loggedIn?.heartbeat ?? 30)) * 1_000
          // Until the next beat, or until the link ends.
          let ended = OneShot<Void>()
          client.ended = ended
          if link.isOpen { _ = try? await ended.wait(deadline: .now + period) }
        } catch {
          guard !client.isStopped, !Task.isCancelled else { return }
          let isRefused = error.status == .untrusted || error.status == .authentication
          if isRefused, !client.hasBeenOnline {
            client.keeper = nil
            return onGiveUp(error)
          }
          // Whoever stands at the registry's address must not be able to end a node that is at work.
          if isRefused { pause = RegistryClient.longestPause }
          client.onOffline(error, true)
          // Half to all of the pause, so that clients of a registry that comes back do not come all at once.
          try? await Loop.sleep(for: Int.random(in: pause / 2...pause))
          pause = min(pause * 2, RegistryClient.longestPause)
        }
      }
    }
  }

  /// A session that cannot be extended is none, whatever else the registry answers on its link: another takes its place.
  private func beat(over link: RegistryLink) async throws(NodeError) {
    do throws(NodeError) { try await link.heartbeat() } catch {
      link.close()
      throw RegistryLink.unreachable(registry.host, registry.port, .closed)
    }
  }

  /// Ends the session; with `sayingSo` the registry is told at once.
  func stop(sayingSo: Bool) async {
    isStopped = true
    keeper?.cancel()
    keeper = nil
    ended?.fulfil(())
    let last = link
    link = nil
    loggedIn = nil
    guard let last, last.isOpen else { return }
    if sayingSo { try? await last.logout() }
    last.close(.goingAway)
  }
}
