internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// What programs may ask about messages of their own.
extension Node {
  func chat(
    _ user: String, _ id: String, _ text: String, _ timeout: Double, _ wait: DeliveryState,
    _ expires: UInt32?, _ emit: @escaping (Event) -> Void
  ) async throws(NodeError) {
    let target = try peer(user)
    let id = try messageID(id)
    guard (1...Limits.chatText).contains(text.utf8.count) else {
      throw NodeError(
        .usage, text.isEmpty ? "the message is empty" : "the message is longer than \(Limits.chatText) bytes",
        hint: text.isEmpty ? "" : "send it as a file")
    }
    _ = try network()
    let deadline = Instant.now + Int(min(max(timeout, 0.001), 86_400) * 1_000)
    let (session, why) = try await hearing(emit) { () throws(NodeError) in
      try await self.reachOrKeep(target, wait, by: deadline, emit)
    }
    let conversation = try await conversations.open(target)
    let courier = courier(for: conversation)
    let arrivals = session?.arrivals
    if try await !isThere(id, in: conversation) {
      guard conversation.waiting.count < Conversation.waitingLimit else {
        throw NodeError(
          .rateLimited, "\(Conversation.waitingLimit) messages wait for \(target.name) already",
          hint: "`secchat outbox` lists them")
      }
      courier.take(
        Message(
          id: id, sent: UInt64(Clock.unixMilliseconds), expires: expires ?? conversation.settings.expires,
          body: .text(text)))
    }
    var fate: Fate?
    if session != nil, wait != .queued {
      fate = await follow(id, in: conversation, courier, to: wait, by: deadline)
    }
    switch fate {
    case .lost(let error): throw error
    // Not by what is on disk: it may not be written there.
    case .refused: throw refusal(by: target)
    default: break
    }
    try await courier.keep()
    // Who wished to wait for less has no reason to doubt.
    if let session, let arrivals, Instant.now >= deadline { session.doubt(since: arrivals) }
    try await conclude(id, conversation, wait, why?.message ?? courier.trouble, emit)
  }

  private func messageID(_ text: String) throws(NodeError) -> MessageID {
    guard let bytes = Hex.decode(text), let id = MessageID(bytes) else {
      throw NodeError(.usage, "a message's id is 32 hexadecimal digits")
    }
    return id
  }

  /// A session, or why the message has to wait for one: that is for somebody whose key is known.
  private func reachOrKeep(
    _ target: Account, _ wait: DeliveryState, by deadline: Instant, _ emit: @escaping (Event) -> Void
  ) async throws(NodeError) -> (PeerSession?, NodeError?) {
    // Who only wants it kept need not know whether anybody is there, where the key is known that it is kept for.
    if wait == .queued, let contact = contacts[target], contact.offered == nil { return (nil, nil) }
    do throws(NodeError) { return (try await session(with: target, by: deadline), nil) } catch {
      guard error.status == .peerOffline || error.status == .unreachable else { throw error }
      // Who is not known yet is, if the registry can say so; else nothing can be kept for them.
      do throws(NodeError) {
        guard try await pinned(target, emit).offered == nil else { throw error }
      } catch let other { throw other.status == .unreachable ? error : other }
      return (nil, error)
    }
  }

  /// Whether a message with that id has been taken before: asking again does not send it twice.
  private func isThere(_ id: MessageID, in conversation: Conversation) async throws(NodeError) -> Bool {
    // Memory last: nobody else asks between this answer and the taking.
    if try await store.state(of: id, in: conversation.row) != nil { return true }
    return conversation.waiting.contains { $0.message.id == id }
  }

  /// Waits for a state, the deadline, or what makes waiting useless.
  ///
  /// - Returns: what became of the message, where it was still on its way and something did.
  private func follow(
    _ id: MessageID, in conversation: Conversation, _ courier: Courier, to wait: DeliveryState,
    by deadline: Instant
  ) async -> Fate? {
    let read = OneShot<Void>()
    let (text, name) = (Hex.encode(id.array), conversation.account.name.text)
    // Before anything is waited for: the word that it was read may come right behind the ACK.
    let subscription: Int? =
      wait != .read
      ? nil
      : subscribe { event in
        if case .sent(let sent) = event, sent.id == text, sent.to == name, sent.state == "read" {
          read.fulfil(())
        }
      }
    defer { if let subscription { unsubscribe(subscription) } }
    var fate: Fate?
    // One that has come through already is asked about again.
    if conversation.waiting.contains(where: { $0.message.id == id }) {
      fate = await courier.audience.wait(for: id, orDeparture: wait == .sent, by: deadline)
      guard wait == .read, fate == .delivered else { return fate }
    }
    guard wait == .read, (try? await store.state(of: id, in: conversation.row)) != .read else { return fate }
    await withTaskCancellationHandler {
      _ = try? await read.wait(deadline: deadline)
    } onCancel: {
      Loop.spawn { read.fail(.cancelled) }
    }
    return fate
  }

  private func refusal(by account: Account) -> NodeError {
    NodeError(.refused, "\(account.name) did not take the message")
  }

  /// Says what has become of a message: by what is on disk, behind all that was written before.
  private func conclude(
    _ id: MessageID, _ conversation: Conversation, _ wait: DeliveryState, _ why: String?,
    _ emit: (Event) -> Void
  ) async throws(NodeError) {
    let name = conversation.account.name
    guard let stored = try await store.state(of: id, in: conversation.row) else {
      throw NodeError(.usage, "the message is not kept: it was taken back, or could not be written")
    }
    // What is confirmed is written a moment later.
    let isWaiting = conversation.waiting.contains { $0.message.id == id }
    let state: MessageState = stored.isWaiting && !isWaiting ? .delivered : stored
    func tell(_ state: MessageState) {
      emit(.sent(.init(id: Hex.encode(id.array), to: name.text, state: "\(state)")))
    }
    if state == .refused { throw refusal(by: conversation.account) }
    guard !state.satisfies(wait) else { return tell(state) }
    tell(state == .sent ? .queued : state)
    throw NodeError(
      .peerOffline,
      state.isWaiting
        ? "\(why ?? "\(name) did not confirm in time"); the message waits, and goes out by itself"
        : "\(name) has the message; nobody has read it yet",
      hint: state.isWaiting ? "`secchat outbox` lists what waits" : "")
  }

  /// Everything that is not confirmed, in the order in which it goes out.
  func outbox(_ emit: (Event) -> Void) {
    let own = settings.account?.name ?? ""
    for conversation in conversations.all.sorted(by: { $0.account.name < $1.account.name }) {
      for stored in conversation.waiting {
        if let event = event(of: stored, with: conversation.account, own) { emit(event) }
      }
    }
  }

  /// Marks messages as seen by a person, and tells their sender.
  func seen(_ user: String, _ texts: [String]) async throws(NodeError) {
    guard let conversation = conversations[try peer(user)] else { return }
    var ids: [MessageID] = []
    for text in texts { ids.append(try messageID(text)) }
    for start in stride(from: 0, to: ids.count, by: Limits.readIDs) {
      let some = Array(ids[start..<min(start + Limits.readIDs, ids.count)])
      let fresh = try await store.markShown(some, in: conversation.row)
      guard settings.receipts ?? true, !fresh.isEmpty,
        conversation.waiting.count < Conversation.waitingLimit
      else { continue }
      courier(for: conversation).take(
        Message(id: Random.bytes(), sent: UInt64(Clock.unixMilliseconds), body: .read(fresh)))
    }
  }

  func cancel(_ text: String) async throws(NodeError) {
    let id = try messageID(text)
    for conversation in conversations.all {
      guard let stored = conversation.waiting.first(where: { $0.message.id == id }) else { continue }
      guard try await courier(for: conversation).cancel(id) else {
        throw NodeError(
          .usage, "the message is \(stored.state == .sent ? "on its way" : "not waiting any more")",
          hint: "what has left once may be there already, and goes on until it is confirmed")
      }
      return
    }
    throw NodeError(.usage, "no message with that id waits", hint: "`secchat outbox` lists them")
  }
}

extension MessageState {
  fileprivate func satisfies(_ wish: DeliveryState) -> Bool {
    switch wish {
    case .queued: true
    case .sent: self != .queued
    case .delivered: self == .delivered || self == .read
    case .read: self == .read
    }
  }
}
