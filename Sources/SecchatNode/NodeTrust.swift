internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// Whose keys are believed: the pin first, the registry's record where nothing is pinned, the user where they disagree.
extension Node {
  /// Judges a device list that somebody offered for an account, and acts on it: pins what is new and explained, tells of
  /// changes, stops at what is not explained.
  ///
  /// - Parameter pinsFirst: whether a first list is pinned, or only looked at.
  /// - Throws: 4 for a list that may not be used.
  func judge(_ list: SignedDeviceList, for account: Account, pinsFirst: Bool) async throws(NodeError) {
    let contact = contacts[account]
    let new = Fingerprint(of: list.list.identity)
    func change(_ verdict: String) {
      guard let contact else { return }
      event(
        .keyChange(
          .init(
            user: account.name.text, old: contact.fingerprint.description, new: new.description,
            verdict: verdict)))
    }
    switch Verdict(of: list, for: account, pinned: contact?.pinned) {
    case .first:
      guard pinsFirst else { return }
      // Links under another list that was as good until now have lost.
      try await contacts.update(account, pinned: list) { _ in sessions.revoke(after: list) }
      // Another may have been pinned while this one was being written.
      guard contacts[account]?.pinned == list else {
        return try await judge(list, for: account, pinsFirst: pinsFirst)
      }
      // The registry's answer is not waited for: the first message may be waiting for this.
      if stays, let client { Loop.spawn { await client.watch([account.name]) } }
    case .same: return
    case .continuous:
      try await pin(list, for: account)
      change("continuous")
    case .recovered:
      try await pin(list, for: account)
      change("recovered")
    case .unexplained:
      try await contacts.update(account) { $0.offered = list }
      change("unexplained")
      throw NodeError(
        .untrusted, "the identity key of \(account.name) is not the one it was; nothing was sent",
        hint:
          "ask \(account.name) for the fingerprint in another way, then `secchat trust \(account.name) FINGERPRINT`"
      )
    case .refused:
      throw NodeError(
        .untrusted, "an old or contradictory device list was offered for \(account.name); nothing was sent",
        hint: "the registry, or somebody in between, may be lying")
    }
  }

  /// Pins a newer list of the pinned identity; an even newer one that came meanwhile stays. Devices that are no longer
  /// listed lose their links.
  private func pin(_ list: SignedDeviceList, for account: Account) async throws(NodeError) {
    try await contacts.update(account) { contact in
      guard contact.pinned.list.identity == list.list.identity,
        contact.pinned.list.version < list.list.version
      else { return }
      contact.pinned = list
      // Before the disk is waited for: from here on nothing goes to a device that is no longer listed.
      sessions.revoke(after: list)
    }
    guard let newest = contacts[account]?.pinned else { return }
    // Another identity was accepted while this was being written: the list is judged by that.
    guard newest.list.identity == list.list.identity else {
      return try await judge(list, for: account, pinsFirst: false)
    }
  }

  /// Checks the list of somebody who dialled us by the pin; by the registry's record where nothing is pinned, or another
  /// key is: anybody can sign a list for somebody else's name.
  func admit(
    _ list: SignedDeviceList, from account: Account, at address: SocketAddress.RateKey
  ) async throws(NodeError) {
    if contacts[account]?.pinned.list.identity != list.list.identity {
      guard strangers.begin(from: address, at: .now) else {
        throw NodeError(.rateLimited, "too many strangers")
      }
      defer { strangers.end() }
      let (recorded, _) = try await network().lookup(account.name)
      switch Verdict(of: list, for: account, pinned: recorded) {
      case .same, .continuous, .recovered: break
      case .first, .unexplained, .refused: throw NodeError(.untrusted, "not the registry's record")
      }
    }
    try await judge(list, for: account, pinsFirst: false)
  }

  /// The session, once its user is pinned: a stranger is at the first word, his or ours.
  ///
  /// - Throws: 4 where another list of the account was pinned meanwhile; the session ends.
  func settled(_ session: PeerSession) async throws(NodeError) -> PeerSession {
    guard let list = session.unpinned else { return session }
    do throws(NodeError) {
      try await judge(list, for: session.peer, pinsFirst: true)
    } catch {
      session.close(.done)
      throw error
    }
    session.unpinned = nil
    return session
  }
}
