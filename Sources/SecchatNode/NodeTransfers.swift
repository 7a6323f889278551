internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// What is sent: begun by a request, gone on with by the node itself.
extension Node {
  /// Of one user's waiting transfers, so many go on at once: the receiver takes a few more.
  private static let atOnce = 4

  func send(
    _ user: String, _ paths: [String], _ rate: UInt64?, _ checksum: Bool, _ emit: @escaping (Event) -> Void
  ) async throws(NodeError) {
    let target = try peer(user)
    guard !paths.isEmpty, paths.allSatisfy({ $0.hasPrefix("/") }) else {
      throw NodeError(.usage, "there is nothing to send", hint: "name a file or a folder")
    }
    _ = try network()
    let survey = try await Loop.offload { () throws(NodeError) in try SourceSurvey(paths) }
    let known = transfers.outgoing(paths, checksum: checksum, to: target)
    let sending: Sending
    var plan: SendingPlan?
    if let known, let atWork = transfers.sending[known.id] {
      sending = atWork
    } else {
      guard known != nil || transfers.waiting.count < Transfers.most else {
        throw NodeError(
          .refused, "too many transfers wait already",
          hint: "`secchat transfers` shows them, and cancels them")
      }
      let source = TransferRecord.Source(
        paths: paths, limitRate: rate, checksum: checksum, survey: survey.digest)
      let fresh = SendingPlan(source, survey, to: target, after: known)
      plan = fresh
      sending = Sending(fresh.standing) { [weak self] in self?.tellUnheard($0) }
      // Another one who asks for the same joins this one.
      transfers.sending[sending.key.id] = sending
    }
    let listener = sending.listen(emit)
    defer { sending.unlisten(listener) }
    try await hearing(emit) { () throws(NodeError) in
      if let plan { begin(plan, as: sending) }
      await sending.ended.wait()
      guard let result = sending.result else {
        throw NodeError(.refused, "nobody waits for the transfer any more; it goes on by itself")
      }
      try result.get()
    }
  }

  /// Goes on with what waits for a user who may be there now.
  func goOn(with name: UserName) {
    for record in transfers.waiting where record.peer.name == name {
      transfers.resetPause(record.id)
      goOn(record)
    }
  }

  /// Looks after everything that waits.
  func wakeTransfers() {
    let waiting = transfers.waiting
    for record in waiting where transfers.sending[record.id] == nil { retry(record.key) }
    guard !waiting.isEmpty, let client else { return }
    Loop.spawn { await client.watch(waiting.map(\.peer.name)) }
  }

  private func goOn(_ record: TransferRecord) {
    guard stays, !settings.isLoggedOut, transfers.sending[record.id] == nil, record.state == .waiting,
      let source = record.source,
      transfers.sending.values.count(where: { $0.key.peer == record.peer }) < Self.atOnce
    else { return }
    let sending = Sending(record) { [weak self] in self?.tellUnheard($0) }
    transfers.sending[record.id] = sending
    Loop.spawn {
      do throws(NodeError) {
        let survey = try await Loop.offload { () throws(NodeError) in try SourceSurvey(source.paths) }
        self.transfers.sending[record.id] = nil
        self.begin(SendingPlan(source, survey, to: record.peer, after: record), as: sending)
      } catch {
        self.transfers.sending[record.id] = nil
        await self.transfers.forget(record.key)
        self.event(.failure(error))
        sending.end(.failure(error))
      }
    }
  }

  private func tellUnheard(_ event: Event) {
    if case .progress = event { return }
    self.event(event)
  }

  private func begin(_ plan: SendingPlan, as sending: Sending) {
    sending.record = plan.standing
    transfers.sending[sending.key.id] = sending
    Loop.spawn {
      var failure: NodeError?
      do throws(NodeError) { try await self.carry(plan, sending) } catch { failure = error }
      await self.honour(sending)
      self.transfers.sending[sending.key.id] = nil
      // Nobody asked, or who did has gone: what is over is told to all.
      if let failure, !sending.isHeard, self.transfers[sending.key] == nil {
        self.event(.failure(failure))
      }
      sending.end(failure.map { .failure($0) } ?? .success(()))
      // There is room for another.
      guard self.transfers[sending.key] == nil else { return }
      for next in self.transfers.waiting where next.peer == sending.key.peer { self.goOn(next) }
    }
  }

  /// One try.
  private func carry(_ plan: SendingPlan, _ sending: Sending) async throws(NodeError) {
    var session: PeerSession
    do throws(NodeError) { session = try await self.session(with: plan.record.peer) } catch {
      throw await keptForLater(plan.standing, sending, error)
    }
    // Said while it was dialled.
    if let wish = sending.wish { throw stopped(plan.standing, wish) }
    var record = plan.record
    record.source?.isBegun = true
    if let replaced = plan.replaced {
      try await transfers.replace(replaced.key, by: record)
    } else {
      try await transfers.save(record)
    }
    // Of two that were dialled at once one may have given way while the disk was waited for.
    do throws(NodeError) { session = try await self.session(with: record.peer) } catch {
      throw await keptForLater(record, sending, error)
    }
    if let replaced = plan.replaced { session.withdraw(replaced.offer) }
    do throws(NodeError) {
      try await session.sendFiles { stream in
        let transfer = plan.transfer(stream, over: session) { [weak self, weak sending] event in
          guard let self, let sending else { return }
          sending.tell(plan.replaced != nil ? self.restarted(event) : event)
        }
        sending.transfer = transfer
        if let wish = sending.wish { transfer.stop(pausing: wish == .pause) }
        return transfer
      }
    } catch {
      throw await settled(record, sending, error)
    }
    await transfers.forget(record.key)
  }

  /// What the user has said meanwhile holds, at whatever point of a try that ended without the files' having arrived.
  private func honour(_ sending: Sending) async {
    var done: TransferAction?
    while let wish = sending.wish, wish != done, let record = transfers[sending.key] {
      do throws(NodeError) {
        sending.unheeded = nil
        try await apply(wish, to: record)
      } catch { sending.unheeded = error }
      done = wish
    }
  }

  /// To an outgoing transfer that is not at work.
  func apply(_ action: TransferAction, to record: TransferRecord) async throws(NodeError) {
    if action == .cancel {
      try await transfers.remove(record.key)
      if record.source?.isBegun == true { sessions.session(with: record.peer)?.withdraw(record.offer) }
      return
    }
    var record = record
    record.state = action == .pause ? .paused : .waiting
    try await transfers.save(record)
  }

  /// Says so where a source that has changed begins again.
  private func restarted(_ event: Event) -> Event {
    guard case .offer(var transfer) = event, transfer.state == nil else { return event }
    transfer.state = "restarted"
    return .offer(transfer)
  }

  // MARK: What did not go

  /// Of one who could not be reached: the transfer waits.
  private func keptForLater(
    _ record: TransferRecord, _ sending: Sending, _ error: NodeError
  ) async -> NodeError {
    let wasKnown = transfers[record.key] != nil
    switch error.status {
    case .peerOffline, .unreachable: break
    // Held until the user has decided, or has logged in.
    case .untrusted, .authentication: return error
    default:
      // Not even that there is no such user ends it: a registry may say so of whom it likes.
      if wasKnown { retry(record.key) }
      return error
    }
    do throws(NodeError) {
      // Whose key it goes to is settled now, not by whatever a registry says later.
      _ = try await pinned(record.peer) { sending.tell($0) }
      try await transfers.save(record)
    } catch { return error }
    if let wish = sending.wish { return stopped(record, wish) }
    if sending.isHeard { sending.tell(queued(record)) }
    watchAndRetry(record)
    return NodeError(
      error.status,
      "\(record.peer.name) cannot be reached now; the files are kept, and go when both are online",
      hint: stays ? "`secchat transfers` shows what waits" : "run `secchat daemon`, or send them again")
  }

  /// Of one that was cut short: whether it waits.
  private func settled(_ record: TransferRecord, _ sending: Sending, _ error: NodeError) async -> NodeError {
    var record = record
    let transfer = sending.transfer
    record.held = transfer?.progress ?? 0
    if let wish = sending.wish {
      try? await transfers.save(record)
      return stopped(record, wish)
    }
    let isUnanswered = transfer?.refusal == .unanswered && !sending.isHeard
    guard
      error.status == .peerOffline || transfer?.wasPaused == true || transfer?.refusal == .busy
        || isUnanswered
    else {
      await transfers.forget(record.key)
      return error
    }
    try? await transfers.save(record)
    sending.tell(queued(record))
    // Who did not answer is asked again when they come back.
    if !isUnanswered { watchAndRetry(record, isWanted: error.status == .peerOffline) }
    return NodeError(
      .peerOffline, "\(error.message); the transfer is kept",
      hint: stays ? "it goes on by itself" : "send it again to go on with it")
  }

  /// Of one that its user has stopped.
  private func stopped(_ record: TransferRecord, _ wish: TransferAction) -> NodeError {
    guard wish == .pause else { return NodeError(.refused, "the transfer was cancelled") }
    return NodeError(
      .peerOffline, "the transfer is paused",
      hint: "`secchat transfers resume \("\(record.id)".prefix(8))` goes on with it")
  }

  private func queued(_ record: TransferRecord) -> Event {
    .offer(
      Event.Transfer(
        id: record.id.description, to: record.peer.name.text, name: record.name, bytes: record.held,
        total: record.bytes, seconds: 0, resumedFrom: 0, state: "queued"))
  }

  /// - Parameter isWanted: else the other side has paused it or is busy, and does not tell when that is over.
  private func watchAndRetry(_ record: TransferRecord, isWanted: Bool = true) {
    guard stays else { return }
    if let client { Loop.spawn { await client.watch([record.peer.name]) } }
    retry(record.key, isWanted: isWanted)
  }

  /// Tries again after a pause, unless something else does before.
  private func retry(_ key: TransferRecord.Key, isWanted: Bool = true) {
    guard stays else { return }
    let (pause, turn) = transfers.pause(key.id, isWanted: isWanted)
    Loop.spawn { [weak self] in
      try? await Loop.sleep(for: pause)
      // The registry says when who is away is back. But it is not believed for ever.
      if let rest = Transfers.rest(after: pause), self?.isKnownOffline(key.peer.name) ?? false {
        try? await Loop.sleep(for: rest)
      }
      guard let self, self.transfers.isDue(key.id, turn: turn), let record = self.transfers[key] else {
        return
      }
      self.goOn(record)
    }
  }
}

/// What is to be sent, and in place of what.
struct SendingPlan {
  let record: TransferRecord
  let survey: SourceSurvey
  /// The transfer of what the source was before it changed, where that was offered.
  let replaced: TransferRecord?

  /// What stands for it until the peer is reached: however often the source changes till then, that is one transfer.
  var standing: TransferRecord { replaced ?? record }

  init(
    _ source: TransferRecord.Source, _ survey: SourceSurvey, to peer: Account, after known: TransferRecord?
  ) {
    self.survey = survey
    var known = known
    known?.source?.limitRate = source.limitRate
    known?.state = .waiting
    if let known, known.source?.survey == survey.digest {
      (record, replaced) = (known, nil)
      return
    }
    var source = source
    source.survey = survey.digest
    source.isBegun = false
    // Of what nobody has been offered yet the id may stay.
    replaced = known?.source?.isBegun == true ? known : nil
    let unoffered = replaced == nil ? known?.id : nil
    record = TransferRecord(
      key: .init(id: unoffered ?? Random.bytes(), peer: peer, isIncoming: false), changed: 0,
      name: survey.items.first?.name ?? "", items: UInt32(survey.items.count), entries: survey.entries,
      bytes: survey.bytes, source: source)
  }

  @LoopActor func transfer(
    _ stream: UInt32, over channel: any TransferChannel, events: @escaping (Event) -> Void
  ) -> OutgoingTransfer {
    OutgoingTransfer(
      paths: record.source?.paths ?? [], to: record.peer.name.text, stream: stream, id: record.id,
      channel: channel, limitRate: record.source?.limitRate, checksum: record.source?.checksum ?? false,
      survey: survey, events: events)
  }
}
