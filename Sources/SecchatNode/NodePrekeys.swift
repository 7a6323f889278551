internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// This device's prekeys at its registry, and those of others.
extension Node {
  /// Fewer than so many are filled up.
  private static let lowStock: UInt16 = 20
  /// What is to be told the registry gathers for so long (milliseconds).
  private static let gathering = 500
  /// Whoever makes initiations fail cannot have all prekeys replaced more often than that (milliseconds).
  private static let replacingPause = 60_000

  /// Sees to the registry's stock a moment later, once for all that happens until then.
  ///
  /// - Parameter replacing: whether what is there may not be what this profile has.
  func stockPrekeysSoon(replacing: Bool = false) {
    guard stays, !isClosing else { return }
    if replacing, prekeysReplaced.map({ Instant.now - $0 >= Self.replacingPause }) ?? true {
      prekeysReplaced = .now
      mustReplacePrekeys = true
    }
    mustStock = true
    guard !isStocking else { return }
    isStocking = true
    Loop.spawn { [weak self] in
      // Once more for what happens while the registry is being asked.
      while self?.mustStock ?? false {
        try? await Loop.sleep(for: Self.gathering)
        self?.mustStock = false
        await self?.stockPrekeys()
      }
      self?.isStocking = false
    }
  }

  /// Reports what was used, and fills up. What fails is made up for the next time: at the next use, the next log-in, or
  /// after a day.
  private func stockPrekeys() async {
    guard let client, client.isOnline, !isClosing else { return }
    do throws(NodeError) {
      let link = try await client.session()
      let account = try account()
      let now = Clock.unixSeconds
      let current = try await prekeys.current(now: now)
      let used = prekeys.toReport
      let stock = try await link.publish(used: used)
      prekeys.reported(used)
      let signed = current.signed(as: account, identity)
      if mustReplacePrekeys || !prekeys.has(signed: stock.signed) {
        return try await replacePrekeys(signed, over: link)
      }
      let count = stock.left < Self.lowStock ? Limits.oneTimePrekeys - Int(stock.left) : 0
      guard count > 0 || stock.signed != current.id else { return }
      let fresh = count > 0 ? try await prekeys.make(count, anew: false, now: now) : []
      do throws(NodeError) {
        let filled = try await link.publish(signed: stock.signed == current.id ? nil : signed, keys: fresh)
        // It takes no numbers that it may have had: a new series, then.
        if filled.left < Self.lowStock { try await replacePrekeys(signed, over: link) }
      } catch {
        guard error.status == .internal else { throw error }
        try await replacePrekeys(signed, over: link)
      }
    } catch { return }
  }

  private func replacePrekeys(_ signed: SignedPrekey, over link: RegistryLink) async throws(NodeError) {
    let fresh = try await prekeys.make(Limits.oneTimePrekeys, anew: true, now: Clock.unixSeconds)
    _ = try await link.publish(replace: true, signed: signed, keys: fresh)
    mustReplacePrekeys = false
  }

  /// Prekeys of a peer's device, checked: the registry's; or where it cannot be asked, has none, or has those that did not
  /// work again and again, the peer's own word.
  ///
  /// - Parameters:
  ///   - failed: a one-time prekey that the peer did not know.
  ///   - attempt: counted from 1.
  func bundle(
    for party: Party, over session: PeerSession, failed: UInt32?, attempt: Int
  ) async throws(NodeError) -> PrekeyBundle {
    guard let list = contacts[party.account]?.pinned.list else { throw ProfileStore.damaged }
    if attempt < Self.registryAttempts, let client, client.isOnline {
      let reset = failed.map { (failed: $0, identity: identity) }
      do throws(NodeError) {
        let link = try await client.session()
        if let offer = try await link.bundle(of: party.account.name, device: party.device, reset: reset) {
          return try check(offer, of: party, on: list)
        }
      } catch {
        // The registry does not answer, or lies: the peer itself is there.
      }
    }
    return try check(try await session.inquire(), of: party, on: list)
  }

  /// How often the registry's prekeys are tried for one session.
  private static let registryAttempts = 3

  private func check(
    _ offer: PrekeyOffer, of party: Party, on list: DeviceList
  ) throws(NodeError) -> PrekeyBundle {
    do throws(PrekeyBundle.Failure) {
      return try PrekeyBundle(verifying: offer, of: party.device, on: list, now: Clock.unixSeconds)
    } catch {
      throw NodeError(
        .integrity, "the prekeys of \(party.account.name) are not signed by its device, or too old")
    }
  }

  /// What a peer is told who asks for prekeys over a link.
  func prekeyOffer() async -> (offer: PrekeyOffer, oneTime: OneTimePrekeyRecord)? {
    guard stays, let account = try? account() else { return nil }
    return try? await prekeys.offer(as: account, now: Clock.unixSeconds)
  }
}
