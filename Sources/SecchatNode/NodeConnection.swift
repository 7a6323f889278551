internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// A way to a profile's node: the one that is running, over its control socket, or one in this process.
public final class NodeConnection: Sendable {
  private enum Way: Sendable {
    case remote(ControlClient)
    case local(LocalNode)
  }

  private let way: Way

  private init(_ way: Way) { self.way = way }

  /// How long another process may take to become the profile's node, or to stop being it (milliseconds).
  private static let patience = 10_000

  /// Finds the profile's node, where one runs that is there to stay.
  ///
  /// - Parameters:
  ///   - home: the profile folder.
  ///   - passphrase: checked by the node where it is given.
  /// - Returns: nil where none does.
  /// - Throws: 1 without an identity, 7 for a wrong passphrase, 8 for a damaged profile.
  @LoopActor public static func attach(
    home: String, passphrase: PassphraseSource
  ) async throws(NodeError) -> NodeConnection? {
    let folder = try ProfileFolder(existing: home)
    _ = try KeyStore.load(folder)
    return try await attach(folder, passphrase, onlyStaying: true)
  }

  /// A node that stays. One that runs for a command is waited for; a second one that stays is an error.
  @LoopActor private static func open(
    _ folder: ProfileFolder, _ identity: SecretIdentity
  ) async throws(NodeError) -> LocalNode {
    let end = Instant.now + patience
    while true {
      if let local = try await LocalNode.open(folder, identity, stays: true) { return local }
      if try await attach(folder, nil, onlyStaying: true) != nil { throw inUse(folder) }
      guard .now < end else {
        throw NodeError(
          .usage, "a command is at work in the profile \(folder.path)", hint: "try again when it has ended")
      }
      try? await Loop.sleep(for: 20)
    }
  }

  @LoopActor private static func attach(
    _ folder: ProfileFolder, _ source: PassphraseSource?, onlyStaying: Bool = false
  ) async throws(NodeError) -> NodeConnection? {
    let client = ControlClient(path: try ControlPath.path(for: folder))
    guard let status = await client.status() else { return nil }
    if onlyStaying, !status.stays { return nil }
    if case .given(let passphrase) = source,
      await client.perform(.status, passphrase: passphrase, { _ in }) == .authentication
    {
      throw NodeError(.authentication, "the passphrase is wrong")
    }
    return NodeConnection(.remote(client))
  }

  /// Finds the profile's running node; starts one in this process for the time being where there is none.
  ///
  /// - Parameters:
  ///   - home: the profile folder.
  ///   - passphrase: for the key file; asked for only where no node runs.
  /// - Throws: 1 without an identity, 7 for a wrong passphrase, 8 for a damaged profile.
  @LoopActor public static func open(
    home: String, passphrase: PassphraseSource
  ) async throws(NodeError) -> NodeConnection {
    let folder = try ProfileFolder(existing: home)
    let key = try KeyStore.load(folder)
    if let running = try await attach(folder, passphrase) { return running }
    let identity = try await unlock(key, folder, passphrase)
    let end = Instant.now + patience
    while true {
      if let local = try await LocalNode.open(folder, identity, stays: false) {
        return NodeConnection(.local(local))
      }
      // Another process holds the lock: it is about to answer, or about to end.
      if let running = try await attach(folder, passphrase) { return running }
      guard .now < end else { throw inUse(folder) }
      try? await Loop.sleep(for: 20)
    }
  }

  @LoopActor private static func unlock(
    _ key: KeyFile, _ folder: ProfileFolder, _ source: PassphraseSource
  ) async throws(NodeError) -> SecretIdentity {
    switch source {
    case .given(let given): return try await KeyStore.unlock(key, in: folder, passphrase: given)
    case .ask(let ask):
      var attempt = 1
      while true {
        let passphrase = try await ask()
        do throws(NodeError) {
          return try await KeyStore.unlock(key, in: folder, passphrase: passphrase)
        } catch {
          guard error.status == .authentication, attempt < questions else { throw error }
          attempt += 1
        }
      }
    }
  }

  /// How often a person is asked for the passphrase.
  private static let questions = 3

  private static func inUse(_ folder: ProfileFolder) -> NodeError {
    NodeError(
      .usage, "the profile \(folder.path) has a node already",
      hint: "other commands use it; end it to start another")
  }

  /// Runs a node that stays: listens for peers, logs in and comes back by itself, until a signal or `finish`.
  ///
  /// - Parameters:
  ///   - home: the profile folder.
  ///   - options: kept in the profile.
  ///   - passphrase: for the key file.
  ///   - loggingIn: whether this undoes a `logout`; without, a profile that is logged out ends it with 7.
  ///   - onEvent: every event that happens. It must not wait.
  ///   - isReady: whether whoever reads the events keeps up. While it is false no message is taken: their senders are
  ///     told that this node is busy.
  ///   - ready: called once when the node is up, with a connection to it.
  /// - Returns: how it ended; 1 where the profile's node is running already.
  @LoopActor public static func serve(
    home: String, options: NodeOptions, passphrase: PassphraseSource, loggingIn: Bool = false,
    onEvent: @escaping @Sendable (Event) -> Void, isReady: @escaping @Sendable () -> Bool = { true },
    ready: @escaping @Sendable (NodeConnection) async -> Void
  ) async -> ExitStatus {
    let local: LocalNode
    do throws(NodeError) {
      let folder = try ProfileFolder(existing: home)
      let key = try KeyStore.load(folder)
      if try await attach(folder, nil, onlyStaying: true) != nil { throw inUse(folder) }
      let identity = try await unlock(key, folder, passphrase)
      if case .given(let given) = passphrase { given.forget() }
      local = try await open(folder, identity)
    } catch {
      onEvent(.failure(error))
      return error.status
    }
    let status = await local.stay(options, loggingIn: loggingIn, onEvent: onEvent, isReady: isReady) {
      await ready(NodeConnection(.local(local)))
    }
    await local.close(waitingForGuests: false)
    return status
  }

  /// Whether the node runs in this process.
  public var isLocal: Bool {
    if case .local = way { true } else { false }
  }

  /// Asks the node. The last event of a request that fails is its `error`.
  @LoopActor public func perform(
    _ request: Request, onEvent: @escaping @Sendable (Event) -> Void
  ) async -> ExitStatus {
    if let status = await performIfThere(request, onEvent: onEvent) { return status }
    onEvent(.failure(Self.ended))
    return Self.ended.status
  }

  /// What there is to say of a node that ended while it was asked.
  public static let ended = NodeError(
    .internal, "the profile's node ended before it had answered", hint: "try again")

  /// Asks the node, and says nothing of its end: another may be asked instead.
  ///
  /// - Returns: nil where the node ended before the request did.
  @LoopActor public func performIfThere(
    _ request: Request, onEvent: @escaping @Sendable (Event) -> Void
  ) async -> ExitStatus? {
    switch way {
    case .remote(let client): await client.perform(request, onEvent)
    case .local(let local): await local.node.perform(request, onEvent)
    }
  }

  /// Lets go. A node that runs for a command ends once those who came to it over the control socket are done; one that
  /// stays ends now.
  @LoopActor public func finish() async {
    guard case .local(let local) = way else { return }
    if local.node.stays { local.node.ending.fulfil(.done) } else { await local.close(waitingForGuests: true) }
  }
}

extension NodeConnection {
  /// Makes an identity in a profile that has none.
  ///
  /// - Throws: 1 where there is one, or the passphrase is empty.
  @LoopActor public static func generateIdentity(
    home: String, passphrase: Passphrase
  ) async throws(NodeError) -> Event.Identity {
    let folder = try ProfileFolder.create(home)
    return Event.Identity(
      try await KeyStore.generate(in: folder, passphrase: passphrase, now: Clock.unixSeconds))
  }

  /// Checks the passphrase of a profile, whether its node runs or not.
  ///
  /// - Throws: 1 without an identity, 7 for a wrong passphrase, 8 for a damaged key file.
  @LoopActor public static func check(home: String, passphrase: PassphraseSource) async throws(NodeError) {
    let folder = try ProfileFolder(existing: home)
    _ = try await unlock(try KeyStore.load(folder), folder, passphrase)
  }

  /// Seals the keys of a profile under another passphrase, all of it or nothing. What they seal stays as it is, and so do
  /// copies of the old key file: those still open with the old passphrase.
  ///
  /// - Parameters:
  ///   - passphrase: the one that it has.
  ///   - fresh: asked for once the old one was right.
  /// - Throws: 1 without an identity or for an empty passphrase, 7 for a wrong one, 8 for a damaged key file.
  @LoopActor public static func changePassphrase(
    home: String, passphrase: PassphraseSource, to fresh: @Sendable () async throws(NodeError) -> Passphrase
  ) async throws(NodeError) {
    let folder = try ProfileFolder(existing: home)
    let identity = try await unlock(try KeyStore.load(folder), folder, passphrase)
    try await KeyStore.change(in: folder, identity, passphrase: try await fresh())
  }

  /// The public half of a profile's identity; needs no passphrase.
  ///
  /// - Throws: 1 without an identity, 8 for a damaged key file.
  @LoopActor public static func publicIdentity(home: String) async throws(NodeError) -> Event.Identity {
    Event.Identity(try KeyStore.load(ProfileFolder(existing: home)).publicKey)
  }
}

extension Event.Identity {
  fileprivate init(_ key: IdentityPublicKey) {
    self.init(key: KeyText.encode(key), fingerprint: Fingerprint(of: key).description)
  }
}
