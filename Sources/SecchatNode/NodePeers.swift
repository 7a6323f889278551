internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// How peers are found, judged and reached.
extension Node {
  private static let connectTime = 5_000
  /// How long the last known address may take, connection and handshake, where the registry did not name it: who is
  /// really offline is to be told so soon (milliseconds).
  private static let lastKnownTime = 2_500

  // MARK: Reaching

  /// A session with a user: the open one, or a new one.
  ///
  /// - Throws: 4 where another identity key waits to be accepted, also when a session stands.
  func session(
    with account: Account, by deadline: Instant? = nil
  ) async throws(NodeError) -> PeerSession {
    if let offered = contacts[account]?.offered { try await judge(offered, for: account, pinsFirst: false) }
    if let session = sessions.session(with: account) { return try await settled(session) }
    let dial = dials[account] ?? startDial(account)
    guard let result = await dial.value(by: deadline) else {
      throw dial.registrysWord
        ?? NodeError(
          .peerOffline, "\(account.name) did not answer in time", hint: "try again later")
    }
    // The peer may have dialled us meanwhile: where we could not reach it, or where our link is the one of two that gives
    // way.
    if let session = sessions.session(with: account) { return try await settled(session) }
    return try result.get()
  }

  private func startDial(_ account: Account) -> Dial {
    let dial = Dial { () throws(NodeError) in
      defer { self.dials[account] = nil }
      return try await self.reach(account)
    }
    dials[account] = dial
    return dial
  }

  /// A new session with a user: where the registry says, else where the user was last reached. A registry may say of
  /// whom it likes that they are unknown, offline or elsewhere; that must not keep apart those who have met.
  ///
  /// - Throws: 1 for an unknown name, 3 where nothing is known and the registry is away, 4, 6 for one who is offline.
  private func reach(_ account: Account) async throws(NodeError) -> PeerSession {
    let client = try network()
    // A changed identity key is for the user to decide on, whatever else fails.
    var isChanged = false
    var tried: SocketAddress?
    do throws(NodeError) {
      let (list, address) = try await client.lookup(account.name)
      isChanged = contacts[account].map { $0.pinned.list.identity != list.list.identity } ?? false
      try await judge(list, for: account, pinsFirst: false)
      guard let address else {
        throw NodeError(
          .peerOffline, "\(account.name) is offline",
          hint: "try again when \(account.name) is online")
      }
      tried = address
      let other = contacts[account]?.address.flatMap(SocketAddress.init).map { $0 != address } ?? false
      return try await dial(account, list, address, within: other ? Self.connectTime : nil)
    } catch {
      guard !isChanged, !settings.isLoggedOut, let contact = contacts[account],
        let address = contact.address.flatMap(SocketAddress.init), address != tried
      else { throw error }
      guard contact.offered == nil else {
        throw NodeError(
          .untrusted, "the identity key of \(account.name) changed and was not accepted; nothing was sent",
          hint: "`secchat trust \(account.name) FINGERPRINT` accepts it")
      }
      guard error.status != .unreachable else { return try await dial(account, contact.pinned, address) }
      dials[account]?.registrysWord = error
      do throws(NodeError) {
        return try await dial(account, contact.pinned, address, within: Self.lastKnownTime)
      } catch _ { throw error }
    }
  }

  /// - Parameter time: milliseconds for connection and handshake; nil for as long as each may take.
  private func dial(
    _ account: Account, _ list: SignedDeviceList, _ address: SocketAddress, within time: Int? = nil
  ) async throws(NodeError) -> PeerSession {
    guard let device = list.list.devices.first else {
      throw NodeError(.internal, "a device list without devices")
    }
    func offline(_ why: String) -> NodeError {
      NodeError(
        .peerOffline, "\(account.name) cannot be reached at \(address): \(why)",
        hint: "try again when \(account.name) is online")
    }
    let begun = Instant.now
    let stream: ByteStream
    do throws(NetError) {
      stream = try await ByteStream.connect(to: address, timeout: time ?? Self.connectTime)
    } catch { throw offline(error.description) }
    let own = Hello(device: identity.device, list: try ownList())
    var theirs: SignedDeviceList?
    let link: SealedLink
    do throws(LinkError) {
      link = try await SealedLink.connect(
        stream, prologue: Prologue.peer(account, device: device.id), local: identity.link,
        remote: device.link,
        time: time.map { max(1, $0 - (Instant.now - begun)) } ?? Limits.handshakeTime
      ) { (payload) throws(LinkError) in
        // Who answers has proved the link key; that it is this user's, the list says.
        guard let hello = try? Hello(decoding: payload.raw), hello.device == device.id,
          hello.speaks(for: device.link)
        else { throw .peerRefused }
        switch Verdict(of: hello.list, for: account, pinned: list) {
        case .same, .continuous, .recovered: theirs = hello.list
        case .first, .unexplained, .refused: throw .peerRefused
        }
        return own.encoded
      }
    } catch {
      switch error {
      case .peerRefused:
        throw NodeError(
          .untrusted,
          "whoever answered for \(account.name) does not have the right device list; nothing was sent",
          hint: "somebody may be in between")
      case .network(let error):
        throw offline(error == .closed ? "nobody there has the key" : error.description)
      case .closed, .handshakeFailed, .integrity, .protocolError: throw offline("nobody there has the key")
      }
    }
    do throws(NodeError) {
      if let theirs { try await judge(theirs, for: account, pinsFirst: true) }
    } catch {
      link.abort()
      throw error
    }
    if let address = NetworkAddress(address) { await contacts.note(address, of: account) }
    let hasRoom = sessions.hasRoom(for: account)
    guard let session = begin(link, account, device.id) else {
      link.close(.goingAway)
      guard !settings.isLoggedOut else {
        throw NodeError(.authentication, "this profile is logged out", hint: "run `secchat login`")
      }
      guard hasRoom else {
        throw NodeError(
          .peerOffline, "\(account.name) holds too many connections to this node already",
          hint: "try again in a while")
      }
      throw NodeError(
        .untrusted, "the keys of \(account.name) changed while the connection was made", hint: "try again")
    }
    return session
  }

  /// Makes a session of a link, unless what it was judged by has changed since: nothing is waited for from here to the
  /// session's being known.
  ///
  /// - Parameter stranger: the list that counts where nothing is pinned.
  private func begin(
    _ link: SealedLink, _ account: Account, _ device: UInt32, stranger: SignedDeviceList? = nil
  ) -> PeerSession? {
    guard !settings.isLoggedOut, let list = (contacts[account]?.pinned ?? stranger)?.list,
      list.device(device)?.link == link.remoteKey,
      link.isInitiator ? sessions.hasRoom(for: account) : sessions.makeRoom(for: account)
    else { return nil }
    let session = PeerSession(link, peer: account, device: device, takesMessages: stays, owner: self)
    if contacts[account] == nil { session.unpinned = stranger }
    sessions.add(session, identity: list.identity)
    Loop.spawn { await session.run() }
    if link.isInitiator { renew(session, after: Limits.linkAge) }
    Loop.spawn { [weak self] in self?.dispatchWaiting(to: account) }
    return session
  }

  /// Makes a new link in place of one that this side dialled, before its keys are an hour old. Where that fails the old
  /// one stays: a conversation does not end because the registry is away.
  private func renew(_ session: PeerSession, after age: Int) {
    Loop.spawn { [weak self, weak session] in
      try? await Loop.sleep(for: age)
      guard let session, session.isOpen, !session.isRetired, let self else { return }
      do throws(NodeError) { _ = try await self.reach(session.peer) } catch {
        self.renew(session, after: Self.renewalPause)
      }
    }
  }

  /// How long to wait before a renewal that failed is tried again (milliseconds).
  private static let renewalPause = 60_000

  // MARK: Being reached

  /// Answers one connection; silent towards whoever does not prove who they are.
  ///
  /// - Parameter shaken: called when the handshake has ended.
  func answer(_ stream: ByteStream, _ shaken: () -> Void) async {
    guard let account = try? account(), let list = try? ownList(), !settings.isLoggedOut,
      let address = stream.remoteAddress?.rateKey
    else { return stream.abort() }
    let own = Hello(device: identity.device, list: list)
    guard
      let link = try? await SealedLink.accept(
        stream, prologue: Prologue.peer(account, device: identity.device), local: identity.link,
        payload: own.encoded)
    else { return }
    shaken()
    let payload = link.remotePayload
    guard let hello = try? Hello(decoding: payload.raw), hello.speaks(for: link.remoteKey),
      hello.list.list.account.registry == account.registry, hello.list.list.account != account
    else { return link.abort() }
    let theirs = hello.list.list.account
    do throws(NodeError) {
      try await admit(hello.list, from: theirs, at: address)
    } catch { return link.abort() }
    // The user may have gone offline while the registry was asked.
    if listener == nil || begin(link, theirs, hello.device, stranger: hello.list) == nil {
      link.abort()
    }
  }
}

extension RegistryClient {
  /// Looks a user up. An address on the registry's own machine is replaced by the registry's: whoever runs beside it is
  /// there for us too.
  func lookup(_ name: UserName) async throws(NodeError) -> (list: SignedDeviceList, address: SocketAddress?) {
    let link = try await session()
    let (list, address) = try await link.lookup(name)
    guard let address = address.flatMap(SocketAddress.init) else { return (list, nil) }
    if address.isLoopback, let registry = link.remoteAddress, !registry.isLoopback {
      return (list, registry.with(port: address.port))
    }
    return (list, address)
  }
}
