internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// What is received, over one link or several, and what may be done with transfers of either direction.
extension Node {
  func key(_ offer: Offer, _ session: PeerSession) -> TransferRecord.Key {
    .init(id: offer.id, peer: session.peer, isIncoming: true)
  }

  /// The answer to an offer that was taken before: it is to go on, over this link. Nil for another.
  func known(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal>? {
    let key = key(offer, session)
    // Its link may be dead and nobody know yet: the sender does, who comes anew.
    while let before = transfers.receiving[key] {
      before.transfer?.fail(
        NodeError(.peerOffline, "\(session.name) goes on with it over another connection"))
      await before.gone.wait()
      guard session.isOpen else { return .failure(OfferRefusal(reason: .declined)) }
      // Taken back meanwhile, or over for another reason: nobody is asked about what was answered once.
      guard transfers[key] != nil else { return .failure(OfferRefusal(reason: .busy)) }
    }
    guard let record = transfers[key] else { return nil }
    guard record.matches(offer), record.state != .cancelled else {
      return .failure(OfferRefusal(reason: .declined))
    }
    guard record.state != .paused else { return .failure(OfferRefusal(reason: .busy)) }
    transfers.receiving[key] = Receiving()
    return .success(record.downloads)
  }

  /// Remembers an offer that was taken, so that nobody is asked for the same one again.
  func remembered(
    _ offer: Offer, in session: PeerSession, _ answer: Result<String, OfferRefusal>
  ) async -> Result<String, OfferRefusal> {
    guard case .success(let downloads) = answer else { return answer }
    let key = key(offer, session)
    guard transfers.receiving[key] == nil else { return .failure(OfferRefusal(reason: .busy)) }
    transfers.receiving[key] = Receiving()
    await transfers.makeRoom(for: 1, from: session.peer)
    await transfers.expire()
    // Where that cannot be written it comes all the same, in one go or not at all.
    try? await transfers.save(
      TransferRecord(
        key: key, changed: 0, name: offer.name, items: offer.items, entries: offer.entries,
        bytes: offer.bytes,
        downloads: downloads))
    return answer
  }

  func keeping(_ offer: Offer, in session: PeerSession) -> TransferKeeping? {
    guard let record = transfers[key(offer, session)] else { return nil }
    return TransferKeeping(
      JournalSeal(offer.id, from: session.peer, identity), others: transfers.kept,
      isComplete: record.state == .done)
  }

  func begins(_ transfer: IncomingTransfer, in session: PeerSession) {
    let key = TransferRecord.Key(id: transfer.id, peer: session.peer, isIncoming: true)
    transfers.receiving[key]?.transfer = transfer
  }

  func ended(
    _ offer: Offer, _ transfer: IncomingTransfer?, _ error: NodeError?, in session: PeerSession
  ) async {
    let key = key(offer, session)
    if let transfer, var record = transfers[key] {
      if error == nil {
        record.state = .done
        record.held = record.bytes
        // Only what is remembered as complete may be forgotten as a part.
        do throws(NodeError) {
          try await transfers.save(record)
          await transfer.forget()
        } catch _ {}
      } else if transfer.isKept {
        record.held = transfer.heldBytes
        try? await transfers.save(record)
      } else if record.state != .cancelled {
        await transfers.forget(key)
      }
    }
    let receiving = transfers.receiving.removeValue(forKey: key)
    receiving?.gone.come()
    // Any number may have been at work, and been cut short at once.
    for folder in await transfers.makeRoom(from: session.peer) { await sweep(folder, of: session.peer) }
  }

  func dropped(_ offer: MessageID, in session: PeerSession) {
    let key = TransferRecord.Key(id: offer, peer: session.peer, isIncoming: true)
    guard let record = transfers[key], record.state != .cancelled else { return }
    Loop.spawn {
      // Its link may be dead and nobody know yet, as for an offer that comes anew.
      while let before = self.transfers.receiving[key] {
        before.transfer?.fail(NodeError(.refused, "\(session.name) stopped the transfer"))
        await before.gone.wait()
      }
      await self.transfers.forget(key)
      await self.sweep(record.downloads, of: session.peer)
    }
  }

  /// Removes the parts of a sender's transfers that are over.
  private func sweep(_ downloads: String, of peer: Account) async {
    let (sender, kept) = (peer.name.text, transfers.kept)
    await Loop.offload { DownloadFolder.sweep(downloads: downloads, of: [sender], keeping: kept) }
  }

  /// Removes what crashes have left and nobody will go on with. Whose offers could be accepted is a contact.
  func sweepDownloads() async {
    await transfers.expire()
    let folders = Set(transfers.all.filter(\.key.isIncoming).map(\.downloads)).union([downloads])
    for folder in folders {
      // One after another, for what is kept is asked for each: transfers begin and are cut short meanwhile.
      for contact in contacts.all { await sweep(folder, of: contact.account) }
    }
  }

  // MARK: What the user says

  /// Nil for one that is over.
  func state(of record: TransferRecord) -> Event.TransferState? {
    guard record.state == .waiting || record.state == .paused else { return nil }
    let sending = transfers.sending[record.id]?.transfer
    let receiving = transfers.receiving[record.key]?.transfer
    let isAtWork = record.key.isIncoming ? receiving != nil : sending != nil
    let bytes = record.key.isIncoming ? receiving?.heldBytes : sending?.progress
    return Event.TransferState(
      id: record.id.description, direction: record.key.isIncoming ? "in" : "out", user: record.peer.name.text,
      name: record.name, items: record.items, bytes: bytes ?? record.held, total: record.bytes,
      state: record.state == .paused ? "paused" : isAtWork ? "active" : "queued")
  }

  func change(
    _ id: String, _ action: TransferAction, _ emit: (Event) -> Void
  ) async throws(NodeError) {
    let found = transfers.all.filter { $0.id.description.hasPrefix(id.lowercased()) && state(of: $0) != nil }
    guard !id.isEmpty, let record = found.first, found.count == 1 else {
      throw NodeError(
        .usage, found.count > 1 ? "several transfers have an id that begins so" : "there is no such transfer",
        hint: "`secchat transfers` shows them")
    }
    var key = record.key
    if key.isIncoming {
      try await changeIncoming(record, action)
    } else {
      key = try await changeOutgoing(record, action)
    }
    if let now = transfers[key].flatMap({ state(of: $0) }) { emit(.transfer(now)) }
  }

  private func changeIncoming(_ record: TransferRecord, _ action: TransferAction) async throws(NodeError) {
    var record = record
    record.state = [.pause: .paused, .resume: .waiting, .cancel: .cancelled][action] ?? record.state
    var failure: NodeError?
    do throws(NodeError) { try await transfers.save(record) } catch { failure = error }
    if action != .resume, let receiving = transfers.receiving[record.key] {
      // Also where that is not remembered: what comes now is not wanted.
      receiving.transfer?.stop(pausing: action == .pause)
      await receiving.gone.wait()
    } else if action == .cancel, failure == nil {
      await sweep(record.downloads, of: record.peer)
    }
    if let failure { throw failure }
  }

  /// - Returns: what it is called now: a source that has changed may have become another transfer meanwhile.
  private func changeOutgoing(
    _ record: TransferRecord, _ action: TransferAction
  ) async throws(NodeError) -> TransferRecord.Key {
    var record = record
    if let sending = transfers.sending[record.id] {
      if action != .resume {
        sending.wish = action
        sending.transfer?.stop(pausing: action == .pause)
      } else if sending.wish == nil {
        return sending.key
      }
      await sending.ended.wait()
      if case .success = sending.result { throw NodeError(.refused, "the files had arrived already") }
      if let error = sending.unheeded { throw error }
      guard action == .resume, let stopped = transfers[sending.key] else { return sending.key }
      record = stopped
    }
    try await apply(action, to: record)
    if action == .resume { goOn(with: record.peer.name) }
    return record.key
  }
}
