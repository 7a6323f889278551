internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// Messages: what comes is opened, kept and confirmed; what goes is handed to a courier.
extension Node {
  // MARK: Receiving

  func received(_ chat: Chat, in session: PeerSession) async {
    func refuse(_ reason: Refuse.Reason) { session.refuse(chat.id, reason) }
    do throws(NodeError) {
      guard !(try await settled(session).link.isClosed) else { return }
    } catch { return refuse(.declined) }
    do throws(NodeError) {
      guard let list = contacts[session.peer]?.pinned.list, let theirs = Party(session.device, on: list)
      else {
        return refuse(.declined)
      }
      let conversation = try await conversations.open(session.peer)
      if try await conversation.isKnown(chat.id) { return session.answer(Ack(id: chat.id)) }
      let correspondent = try await conversation.correspondent(theirs)
      guard session.admits(chat) else { return refuse(.outOfTurn) }
      guard isReady(), hasRoom(), conversation.unopened.isLeft(at: .now) else { return refuse(.busy) }
      if chat.first { sessions.turn(to: session) }
      take(chat, in: session, conversation, correspondent, as: Party(identity, account: try account()))
    } catch {
      event(.failure(error))
      refuse(.busy)
    }
  }

  /// Opens a message; what it changes is written with that of others that come in the same turn. Nothing is waited for: the
  /// next ones may be opened while these are being written.
  private func take(
    _ chat: Chat, in session: PeerSession, _ conversation: Conversation, _ correspondent: Correspondent,
    as ours: Party
  ) {
    func refuse(_ reason: Refuse.Reason) { session.refuse(chat.id, reason) }
    var correspondence = correspondent.correspondence
    let opened: Correspondence.Opened
    do throws(Correspondence.Failure) {
      opened = try correspondence.open(chat.envelope, from: correspondent.party, as: ours, identity) {
        prekeys.secrets(for: $0, handed: session.handedPrekey, now: Clock.unixSeconds)
      }
      // The name under which it is confirmed is the one that it has.
      guard opened.content.message.id == chat.id else { throw .malformed }
    } catch {
      switch error {
      case .undecryptable:
        conversation.unopened.spend(at: .now)
        return refuse(.undecryptable)
      case .unknownPrekey:
        conversation.unopened.spend(at: .now)
        // The registry may have prekeys that this profile, an older copy of itself, does not.
        stockPrekeysSoon(replacing: true)
        return refuse(.unknownPrekey)
      case .malformed: return refuse(.declined)
      }
    }
    correspondent.correspondence = correspondence
    let message = opened.content.message
    if correspondent.arrivals == nil {
      Loop.spawn { self.keepArrivals(conversation, correspondent) }
    }
    // Taken out, so that it grows in its place.
    var arrivals = correspondent.arrivals.take() ?? Arrivals()
    var used: PrekeyKeeper.Used?
    var handed: OneTimePrekeyRecord?
    if let initiation = opened.begun {
      used = prekeys.use(initiation, in: &arrivals.change)
      handed = session.handedPrekey.take()
      if !arrivals.change.usedPrekeys.isEmpty { stockPrekeysSoon() }
    }
    let row = conversations.newMessageRow()
    let isText = if case .text = message.body { true } else { false }
    let expiry = message.expires > 0 ? Clock.unixSeconds + UInt64(message.expires) : nil
    arrivals.change.inserts.append(
      MessageChange.Insert(
        row: row, conversation: conversation.row, message: chat.id, state: isText ? .received : .shown,
        body: isText ? conversation.key.seal(message, row: row, isOurs: false) : nil, expires: expiry))
    if case .read(let ids) = message.body {
      arrivals.change.read += ids.map { (conversation.row, $0) }
      couriers[conversation.account]?.seen(ids)
    }
    arrivals.all.append(
      .init(
        row: row, message: message, news: opened.news, session: session, expires: expiry, used: used,
        handed: handed))
    correspondent.arrivals = arrivals
    if arrivals.all.count >= Arrivals.size { keepArrivals(conversation, correspondent) }
  }

  /// Whether the disk has room for messages: what others send may not fill it.
  private func hasRoom() -> Bool {
    let hasRoom = DiskRoom.spare(at: folder.path) > 0
    if !hasRoom, !isDiskFull { event(.failure(ProfileStore.full)) }
    isDiskFull = !hasRoom
    return hasRoom
  }

  /// Writes what has come, and shows and confirms it when that is durable. In the same change as what was confirmed to us:
  /// the state knows of both.
  func keepArrivals(_ conversation: Conversation, _ correspondent: Correspondent) {
    guard var arrivals = correspondent.arrivals else { return }
    correspondent.arrivals = nil
    let courier = couriers[conversation.account]
    let confirmed = courier?.takeConfirmed(by: correspondent, into: &arrivals.change) ?? []
    arrivals.change.correspondence = correspondent.change(store)
    tidySoon()
    let all = arrivals.all
    store.commit(arrivals.change) { result in
      switch result {
      case .success(let outcome):
        for one in all {
          conversation.note(one.message.id)
          if !outcome.known.contains(one.row) {
            self.show(one.message, one.news, outcome.read, from: one.session)
          }
          if let time = one.expires { self.expires(at: time) }
          one.session.answer(Ack(id: one.message.id))
        }
      case .failure(let error):
        // What builds on this change is not written either.
        conversation.forget(correspondent)
        courier?.putBack(confirmed)
        for one in all {
          if let used = one.used { self.prekeys.giveBack(used) }
          // Where it has not been handed another one since.
          if one.session.handedPrekey == nil { one.session.handedPrekey = one.handed }
        }
        if error != ProfileStore.unfounded, all.contains(where: { $0.session.isTaking }) {
          self.event(.failure(error))
        }
        for one in all { one.session.refuse(one.message.id, .busy) }
        self.couriers[conversation.account]?.letGo(of: correspondent, error)
      }
    }
  }

  /// - Parameter read: our messages to this peer that are known from now on to have been seen.
  private func show(
    _ message: Message, _ news: [Correspondence.News], _ read: Set<MessageID>, from session: PeerSession
  ) {
    let user = session.name.text
    for one in news {
      switch one {
      case .reset: event(.sessionReset(.init(user: user, reason: .begun)))
      case .missing(let count): event(.sessionReset(.init(user: user, reason: .ours, missing: count)))
      case .rolledBack: event(.sessionReset(.init(user: user, reason: .theirs)))
      }
    }
    switch message.body {
    case .text(let text):
      event(
        .message(
          .init(
            id: Hex.encode(message.id.array), from: user, to: settings.account?.name ?? "", text: text,
            time: Double(message.sent) / 1_000, verified: contacts[session.peer]?.isVerified ?? false)))
    case .read(let ids): for id in ids where read.contains(id) { told(id, .read, session.peer) }
    }
  }

  // MARK: Sending

  /// The courier for an account.
  func courier(for conversation: Conversation) -> Courier {
    if let known = couriers[conversation.account], known.conversation === conversation { return known }
    let courier = Courier(conversation, node: self)
    couriers[conversation.account] = courier
    return courier
  }

  /// Sets couriers out for all that waits and may be reached.
  func dispatchWaiting(to account: Account) {
    guard let conversation = conversations[account], !conversation.waiting.isEmpty else { return }
    courier(for: conversation).peerIsThere()
  }

  func confirmed(_ id: MessageID, in session: PeerSession) {
    couriers[session.peer]?.acknowledged(id, over: session)
  }

  func refused(_ id: MessageID, _ reason: Refuse.Reason, in session: PeerSession) {
    couriers[session.peer]?.refused(id, reason, over: session)
  }

  func changed(_ session: PeerSession) { couriers[session.peer]?.changed(session) }

  /// Tells what has become of a message of ours.
  func told(_ id: MessageID, _ state: MessageState, _ account: Account) {
    event(.sent(.init(id: Hex.encode(id.array), to: account.name.text, state: "\(state)")))
  }
}
