internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// Claiming a name, going online and going off.
extension Node {
  func register(
    _ user: String, _ keyText: String?, _ emit: (Event) -> Void
  ) async throws(NodeError) {
    guard let (name, host, port) = RegistryAddress.parse(user: user) else {
      throw NodeError(
        .usage, "\(user.contains("@") ? "that is no account" : "the registry is missing")",
        hint: "write NAME@HOST or NAME@HOST:PORT; names are 3 to 32 of a-z 0-9 . _ -")
    }
    let registry = RegistryAddress(
      host: host, port: port, key: try await registryKey(host, port, keyText, emit))
    let account = Account(name: name, registry: registry.key)
    if let own = try? self.account(), own != account {
      throw NodeError(
        .usage, "this profile holds the account \(own.name) already",
        hint: "a profile holds one account; choose another with --home")
    }
    let list: SignedDeviceList
    if let own = try? ownList() {
      list = own
    } else if let first = identity.firstDeviceList(for: account) {
      list = first
    } else {
      throw NodeError(.internal, "the device list could not be made")
    }
    let link = try await RegistryLink.connect(registry, as: identity)
    defer { link.close() }
    let already = try await link.register(list, as: identity)
    try await save {
      $0.account = .init(name: name.text, host: host, port: port, list: list.encoded)
      $0.registries[registry.text] = KeyText.encode(registry: registry.key)
      $0.isLoggedOut = false
    }
    emit(.registered(.init(user: "\(name)@\(registry.text)", already: already)))
    if stays, listener == nil { try await goOnline() }
  }

  /// The key that the registry must prove: given, pinned, or shown to be confirmed.
  private func registryKey(
    _ host: String, _ port: UInt16, _ text: String?, _ emit: (Event) -> Void
  ) async throws(NodeError) -> LinkPublicKey {
    let place = RegistryAddress.text(host, port)
    let pinned = settings.registries[place].flatMap { KeyText.registry($0) }
    if let text {
      guard let key = KeyText.registry(text) else {
        throw NodeError(
          .usage, "that is no registry key", hint: "it begins with \(KeyText.registryPrefix)")
      }
      guard pinned == nil || pinned == key else {
        throw RegistryLink.changed(RegistryAddress(host: host, port: port, key: key), key)
      }
      return key
    }
    if let pinned { return pinned }
    let key = try await RegistryLink.inquire(host, port)
    emit(
      .registryKey(
        .init(
          registry: place, key: KeyText.encode(registry: key),
          fingerprint: Fingerprint(ofRegistry: key).description)))
    throw NodeError(
      .untrusted,
      "the registry at \(place) is not known here; its fingerprint is \(Fingerprint(ofRegistry: key))",
      hint: "compare it with its owner's, then give its key with --registry-key")
  }

  /// Clears the logged-out state and goes online.
  func login(_ emit: @escaping (Event) -> Void) async throws(NodeError) {
    _ = try account()
    if settings.isLoggedOut { try await save { $0.isLoggedOut = false } }
    if stays, listener == nil { try listen() }
    let client = try network()
    // Staying comes first: where the registry is away now, the node comes back by itself.
    if stays { stay(orEnd: false) }
    _ = try await client.session()
    guard let answer = client.loggedIn, let address = SocketAddress(answer.address) else { return }
    emit(
      .online(
        .init(
          user: settings.account?.name ?? "", address: address.description,
          listen: listener?.address?.description ?? "")))
  }

  /// Listens and stays logged in; comes back by itself where the registry is away.
  func goOnline() async throws(NodeError) {
    _ = try account()
    guard !settings.isLoggedOut else {
      throw NodeError(.authentication, "this profile is logged out", hint: "run `secchat login`")
    }
    if listener == nil { try listen() }
    _ = try network()
    stay(orEnd: true)
    // What waits goes out also where the registry does not answer.
    for conversation in conversations.all where !conversation.waiting.isEmpty {
      courier(for: conversation).start()
    }
  }

  /// - Parameter orEnd: whether a registry that refuses the first log-in ends the node.
  private func stay(orEnd: Bool) {
    client?.stay { [weak self] error in
      guard let self else { return }
      self.event(.failure(error))
      if orEnd { self.ending.fulfil(error.status) }
    }
  }

  private func listen() throws(NodeError) {
    let listener = try openListener()
    self.listener = listener
    // The port is part of what a log-in says.
    let old = client
    client = nil
    Loop.spawn { await old?.stop(sayingSo: true) }
    Loop.spawn { await listener.run { stream, shaken in await self.answer(stream, shaken) } }
  }

  private func openListener() throws(NodeError) -> PeerListener {
    if let text = settings.listen {
      guard let address = SocketAddress(text) else {
        throw NodeError(
          .usage, "\(text) is no address to listen on", hint: "write HOST:PORT with a numeric host")
      }
      return try PeerListener(address)
    }
    for host in ["::", "0.0.0.0"] {
      guard let address = SocketAddress(host: host, port: 0) else { continue }
      // A machine without IPv6 listens on IPv4 alone.
      if let listener = try? PeerListener(address) { return listener }
    }
    throw NodeError(.unreachable, "no port could be opened for peers", hint: "choose one with --listen")
  }

  /// Goes offline, and stays so until `login`.
  func logout() async throws(NodeError) {
    _ = try account()
    try await save { $0.isLoggedOut = true }
    listener?.close()
    listener = nil
    sessions.close(.done)
    // Let go of before it is waited for: a `login` meanwhile makes another.
    let old = client
    client = nil
    await old?.stop(sayingSo: true)
    if stays, let name = settings.account?.name { event(.offline(.init(user: name, retrying: false))) }
  }
}
