internal import SecchatCore
internal import SecchatLink
internal import SecchatNet

/// PUBLISH and FETCH.
extension Session {
  func publish(_ message: Publish) async {
    guard let attendee else { return refuse(message, .notLoggedIn) }
    let name = attendee.account.name
    if let wait = registry.publishes.take(name, now: Instant.now.milliseconds) {
      return refuse(message, .rateLimited, wait: wait)
    }
    let owner = PrekeyOwner(name: name, device: attendee.device)
    do throws(StoreError) {
      switch try await registry.store.publish(message, of: owner, now: registry.configuration.clock()) {
      case .published(let signed, let left):
        link.send(Published(request: message.request, signed: signed, left: UInt16(clamping: left)))
      case .refused: refuse(message, .badRequest)
      case .tooMany: refuse(message, .tooMany)
      }
    } catch { fail(message, error) }
  }

  func fetch(_ message: Fetch) async {
    guard mayAsk(message), let asker = attendee else { return }
    do throws(StoreError) {
      guard let target = try await registry.accounts.account(named: message.name) else {
        return refuse(message, .unknownName)
      }
      if let reset = message.reset {
        guard try await isSigned(reset, by: asker, for: message, of: target) else {
          return refuse(message, .badRequest)
        }
      }
      guard target.list.list.device(message.device) != nil else { return refuse(message, .noPrekeys) }
      let owner = PrekeyOwner(name: message.name, device: message.device)
      answer(
        message, try await take(of: owner, for: asker.account.name, failed: message.reset?.failed), owner)
    } catch { fail(message, error) }
  }

  /// By the list that is there now: the one of the log-in may have been replaced.
  private func isSigned(
    _ reset: Fetch.Reset, by asker: Attendee, for message: Fetch, of target: StoredAccount
  ) async throws(StoreError) -> Bool {
    let account = try await registry.accounts.account(named: asker.account.name)
    guard let device = account?.list.list.device(asker.device) else { return false }
    return reset.isSigned(
      by: device, handshakeHash: link.handshakeHash, account: target.list.list.account, device: message.device
    )
  }

  private func take(
    of owner: PrekeyOwner, for requester: UserName, failed: UInt32?
  ) async throws(StoreError) -> PrekeyOutcome {
    // Taken before and given back where it was not needed: an account's sessions must not get more by asking at once.
    let mayHaveNew = registry.prekeysTaken.take(requester, now: Instant.now.milliseconds) == nil
    let order = PrekeyOrder(
      owner: owner, requester: requester, failed: failed, limits: registry.configuration.prekeys,
      mayHaveNew: mayHaveNew)
    let outcome = try await registry.store.prekeys(for: order, now: registry.configuration.clock())
    if case .handedOut = outcome { return outcome }
    if mayHaveNew { registry.prekeysTaken.refund(requester) }
    return outcome
  }

  private func answer(_ message: Fetch, _ outcome: PrekeyOutcome, _ owner: PrekeyOwner) {
    switch outcome {
    case .none: refuse(message, .noPrekeys)
    case .badReset: refuse(message, .badRequest)
    case .offer(let offer): link.send(Bundle(request: message.request, offer: offer))
    case .handedOut(let offer, let left):
      link.send(Bundle(request: message.request, offer: offer))
      guard left < registry.configuration.lowStock else { return }
      for session in registry.board.sessions(of: owner.name) where session.attendee?.device == owner.device {
        session.link.send(Stock(left: UInt16(clamping: left)))
      }
    }
  }
}
