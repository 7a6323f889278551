internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// What a session tells its node.
@LoopActor protocol PeerSessionOwner: AnyObject {
  /// What has been promised to the transfers of all sessions.
  var promisedRoom: PromisedRoom { get }
  /// A message came. It is answered by `PeerSession.answer`, at once or when it is kept.
  func received(_ chat: Chat, in session: PeerSession) async
  /// A message of ours was confirmed, or refused.
  func confirmed(_ id: MessageID, in session: PeerSession)
  func refused(_ id: MessageID, _ reason: Refuse.Reason, in session: PeerSession)
  /// There is more credit, or the session is not to be used any more.
  func changed(_ session: PeerSession)
  /// What a peer is told who asks for prekeys; nil where nobody here takes messages.
  func prekeyOffer() async -> (offer: PrekeyOffer, oneTime: OneTimePrekeyRecord)?
  /// Files are offered: where they go, or why not.
  func received(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal>
  /// An offer that may still wait for an answer is none any more.
  func withdrawn(_ offer: MessageID)
  /// By what an offer that was taken may go on another time.
  func keeping(_ offer: Offer, in session: PeerSession) -> TransferKeeping?
  func begins(_ transfer: IncomingTransfer, in session: PeerSession)
  /// An offer that was taken has come to its end: whole where `error` is nil; without its transfer's having begun where
  /// that is.
  func ended(_ offer: Offer, _ transfer: IncomingTransfer?, _ error: NodeError?, in session: PeerSession)
    async
  /// The sender takes an offer back for good.
  func dropped(_ offer: MessageID, in session: PeerSession)
  func event(_ event: Event)
  func ended(_ session: PeerSession)
}

extension PeerSessionOwner {
  func keeping(_ offer: Offer, in session: PeerSession) -> TransferKeeping? { nil }
  func begins(_ transfer: IncomingTransfer, in session: PeerSession) {}
  func ended(_: Offer, _: IncomingTransfer?, _: NodeError?, in session: PeerSession) async {}
  func dropped(_ offer: MessageID, in session: PeerSession) {}
}

/// Why an offer is not taken.
struct OfferRefusal: Error, Equatable {
  let reason: Refuse.Reason
}

/// The conversation with one device of one peer over one link: messages one way, confirmations the other, files both.
@LoopActor final class PeerSession {
  let link: SealedLink
  let peer: Account
  let device: UInt32
  /// The list of a stranger: it is pinned at the first word, his or ours; until then nothing of him is kept.
  var unpinned: SignedDeviceList?
  /// Gone while a node ends and its last links do.
  private weak var owner: (any PeerSessionOwner)?
  /// Whether this node takes messages on this link at all: one that runs for a single command shows none.
  private let takesMessages: Bool

  // What we send.
  /// Messages that wait for their answer: a retired session ends only after them.
  private var underWay: Set<MessageID> = []
  private var chatsSent: UInt64 = 0
  private var chatLimit: UInt64 = 0
  private var inquiry: OneShot<PrekeyOffer>?
  private var outgoing: [UInt32: OutgoingTransfer] = [:]
  private var nextStream: UInt32

  // What we receive.
  private var chatsReceived: UInt64 = 0
  private var chatsAnswered: UInt64 = 0
  private var chatsGranted: UInt64 = 0
  private var turnstile = Turnstile()
  /// Messages that no session has opened.
  private var unopened = 0
  /// The one-time prekey that was handed out over this link and has not been used.
  var handedPrekey: OneTimePrekeyRecord?
  private var isAnsweringInquiry = false
  private var incoming: [UInt32: IncomingTransfer] = [:]
  /// Offers that wait for an answer, by stream: they may be cancelled meanwhile.
  private var pondered: [UInt32: MessageID] = [:]
  /// Answers being waited for, those to cancelled offers included.
  private var answersAwaited = 0
  private var highestStream: UInt32 = 0

  /// Another session has taken over: nothing new is sent here.
  private(set) var isRetired = false
  private(set) var isOpen = true
  private var mayClose = false
  /// Messages and data that have come.
  private(set) var arrivals: UInt64 = 0
  /// Whether a message stayed unconfirmed and nothing has come since: who is silent so long may be at another address
  /// by now, and be reached there.
  private(set) var isDoubtful = false

  private static let offersAtOnce = 16
  /// Each may hold its credit in memory while the disk is slow.
  private static let transfersAtOnce = 8

  init(_ link: SealedLink, peer: Account, device: UInt32, takesMessages: Bool, owner: any PeerSessionOwner) {
    self.link = link
    self.peer = peer
    self.device = device
    self.owner = owner
    self.takesMessages = takesMessages
    nextStream = link.isInitiator ? 1 : 2
  }

  var name: UserName { peer.name }
  var age: Int { Instant.now - link.born }
  /// Whether the other side takes messages here. One that dialled us for a single command does not.
  var takesOurMessages: Bool { chatLimit > 0 || link.isInitiator }

  // MARK: Running

  /// Runs until the link ends.
  func run() async {
    if takesMessages { grantChats() }
    link.flush()
    do throws(LinkError) {
      while true {
        let arrived = try await link.receive { (type, body) throws(WireError) in
          try self.read(type, body)
        }
        arrivals += 1
        isDoubtful = false
        guard case .message(let message) = arrived else { continue }
        do throws(WireError) { try await handle(message) } catch { throw .protocolError }
      }
    } catch {
      end(error)
    }
  }

  private enum Arrived {
    case message(PeerMessage)
    /// Data, already taken in place.
    case chunk
  }

  private func read(_ type: FrameType, _ body: RawSpan) throws(WireError) -> Arrived {
    guard type == ChunkHeader.type else { return .message(try PeerMessage(type: type, body: body)) }
    var reader = WireReader(body)
    let header = try ChunkHeader(body: &reader)
    guard let transfer = incoming[header.stream] else {
      // Data may still be on its way for a transfer that has ended here; for any other it is an error.
      guard isStranger(header.stream) else { throw .malformed }
      return .chunk
    }
    try transfer.take(chunk: reader.takeRest())
    if link.landing !== transfer { link.landing = transfer }
    return .chunk
  }

  /// Whether the stream is one that the other side may open.
  private func isStranger(_ stream: UInt32) -> Bool { stream % 2 == (link.isInitiator ? 0 : 1) }

  private func handle(_ message: PeerMessage) async throws(WireError) {
    switch message {
    case .chat(let chat): try await receive(chat)
    case .ready(let ready) where ready.stream == 0:
      chatLimit = max(chatLimit, ready.limit)
      owner?.changed(self)
    case .ready(let ready): outgoing[ready.stream]?.handle(message)
    case .accept(let accept): outgoing[accept.stream]?.handle(message)
    case .ack(let ack):
      if underWay.remove(ack.id) != nil {
        owner?.confirmed(ack.id, in: self)
        closeIfDone()
      } else {
        transfer(ack.id)?.handle(message)
      }
    case .refuse(let refuse):
      if underWay.remove(refuse.id) != nil {
        owner?.refused(refuse.id, refuse.reason, in: self)
        closeIfDone()
      } else {
        transfer(refuse.id)?.handle(message)
      }
    case .inquire: answerInquiry()
    case .prekeys(let prekeys): inquiry?.fulfil(prekeys.offer)
    case .offer(let offer): try receive(offer)
    case .entry(let entry):
      guard isStranger(entry.stream) else { throw .malformed }
      guard let transfer = incoming[entry.stream] else { return }
      try transfer.handle(message)
      await transfer.room()
    case .resume(let resume):
      guard isStranger(resume.stream) else { throw .malformed }
      try incoming[resume.stream]?.handle(message)
    case .end(let end):
      guard isStranger(end.stream) else { throw .malformed }
      try incoming[end.stream]?.handle(message)
    case .cancel(let cancel):
      if let transfer = outgoing[cancel.stream] {
        transfer.handle(message)
      } else if let transfer = incoming[cancel.stream] {
        try transfer.handle(message)
      } else if let offer = pondered.removeValue(forKey: cancel.stream) {
        owner?.withdrawn(offer)
        if cancel.reason == .stopped { owner?.dropped(offer, in: self) }
        link.send(Cancel(stream: cancel.stream, reason: .stopped))
      }
    }
  }

  private func transfer(_ id: MessageID) -> OutgoingTransfer? { outgoing.values.first { $0.id == id } }

  private func end(_ error: LinkError) {
    isOpen = false
    let gone = NodeError(.peerOffline, "the connection to \(name) ended", hint: "try again")
    inquiry?.fail(.closed)
    for transfer in outgoing.values { transfer.fail(gone) }
    for transfer in incoming.values { transfer.fail(gone) }
    for offer in pondered.values { owner?.withdrawn(offer) }
    pondered = [:]
    link.abort()
    owner?.changed(self)
    owner?.ended(self)
  }

  // MARK: Messages

  private func receive(_ chat: Chat) async throws(WireError) {
    chatsReceived += 1
    guard chatsReceived <= chatsGranted else { throw .malformed }
    await owner?.received(chat, in: self)
  }

  /// Answers a message that came, in whatever order.
  func answer(_ message: some WireMessage) {
    guard isOpen else { return }
    link.send(message)
    chatsAnswered += 1
    if chatsGranted - chatsAnswered < Limits.chatCredit / 2 { grantChats() }
  }

  /// Does not take a message, nor what follows it until its sender has heard of that.
  func refuse(_ id: MessageID, _ reason: Refuse.Reason) {
    turnstile.refuse()
    answer(Refuse(id: id, reason: reason))
    guard reason == .undecryptable || reason == .unknownPrekey else { return }
    unopened += 1
    // Looking for the key of one takes thousands of hashes.
    if unopened >= Self.unopenedAtMost { link.close(.protocolError) }
  }

  /// On one link. An honest sender begins another session after each, and waits longer and longer after every fourth.
  private static let unopenedAtMost = 64

  /// Takes nothing more until the sender begins anew here.
  func shut() { turnstile.refuse() }

  /// Whether a message that came, and is not known, may be looked at.
  func admits(_ chat: Chat) -> Bool { turnstile.admits(first: chat.first) }

  /// Whether also what is not the first on its way is taken: the sender has heard of all that was refused, and sends here.
  var isTaking: Bool { turnstile.isOpen }

  private func grantChats() {
    chatsGranted = chatsAnswered + Limits.chatCredit
    link.send(Ready(stream: 0, limit: chatsGranted))
  }

  /// How many messages may be sent now.
  var chatCredit: UInt64 { chatLimit > chatsSent ? chatLimit - chatsSent : 0 }

  /// Counts a message that is about to be sent: its credit is gone, and its answer is waited for.
  func expect(_ chat: Chat) {
    chatsSent += 1
    underWay.insert(chat.id)
  }

  /// Sends a message that was counted. It goes out at the end of the turn, together with what others send meanwhile.
  func send(_ chat: Chat) {
    guard isOpen else { return }
    link.send(chat)
  }

  /// A message was not confirmed in time: where nothing has come since there were so many arrivals, the session is in doubt.
  func doubt(since arrivals: UInt64) {
    guard isOpen, !underWay.isEmpty, arrivals == self.arrivals else { return }
    isDoubtful = true
    owner?.changed(self)
  }

  /// How long a peer may take to answer for its prekeys (milliseconds).
  private static let inquiryTime = 10_000

  /// Asks the peer for prekeys of its own.
  func inquire() async throws(NodeError) -> PrekeyOffer {
    let slot = OneShot<PrekeyOffer>()
    inquiry = slot
    defer { if inquiry === slot { inquiry = nil } }
    link.send(Inquire())
    do throws(NetError) { return try await slot.wait(deadline: .now + Self.inquiryTime) } catch {
      throw NodeError(.peerOffline, "\(name) did not say its prekeys", hint: "try again later")
    }
  }

  /// One at a time: who asks more often waits.
  private func answerInquiry() {
    guard takesMessages, !isAnsweringInquiry else { return }
    isAnsweringInquiry = true
    Loop.spawn {
      let answer = await self.owner?.prekeyOffer()
      self.isAnsweringInquiry = false
      guard let answer, self.isOpen else { return }
      self.handedPrekey = answer.oneTime
      self.link.send(Prekeys(offer: answer.offer))
      self.link.flush()
    }
  }

  // MARK: Files

  /// Sends files and folders, and waits until the peer has them on disk.
  func sendFiles(_ make: (_ stream: UInt32) -> OutgoingTransfer) async throws(NodeError) {
    guard isOpen else {
      throw NodeError(.peerOffline, "the connection to \(name) ended", hint: "try again")
    }
    let stream = nextStream
    nextStream += 2
    let transfer = make(stream)
    outgoing[stream] = transfer
    defer {
      outgoing[stream] = nil
      closeIfDone()
    }
    try await transfer.run()
  }

  /// Takes an offer back that was made over another link.
  func withdraw(_ offer: (_ stream: UInt32) -> Offer) {
    guard isOpen else { return }
    let stream = nextStream
    nextStream += 2
    link.send(offer(stream))
    link.send(Cancel(stream: stream, reason: .stopped))
  }

  private func receive(_ offer: Offer) throws(WireError) {
    // A number is never used twice: frames of the old stream may still be on their way.
    guard isStranger(offer.stream), offer.stream > highestStream else { throw .malformed }
    highestStream = offer.stream
    guard answersAwaited < Self.offersAtOnce, incoming.count < Self.transfersAtOnce else {
      link.send(Refuse(id: offer.id, reason: .busy))
      return
    }
    pondered[offer.stream] = offer.id
    answersAwaited += 1
    Loop.spawn { await self.ponder(offer) }
  }

  private func ponder(_ offer: Offer) async {
    // Withdrawn before anybody was asked?
    let answer =
      pondered[offer.stream] == nil
      ? nil : await owner?.received(offer, in: self) ?? .failure(OfferRefusal(reason: .declined))
    answersAwaited -= 1
    // Withdrawn, or the link ended, while the user thought.
    guard let answer, pondered.removeValue(forKey: offer.stream) != nil, isOpen,
      let promisedRoom = owner?.promisedRoom
    else {
      if case .success = answer { await owner?.ended(offer, nil, nil, in: self) }
      return
    }
    switch answer {
    case .failure(let refusal):
      link.send(Refuse(id: offer.id, reason: refusal.reason))
      link.flush()
    case .success(let downloads):
      let transfer = IncomingTransfer(
        offer, from: name.text, downloads: downloads, channel: self, promisedRoom: promisedRoom,
        keeping: owner?.keeping(offer, in: self), events: { [weak self] in self?.owner?.event($0) })
      incoming[offer.stream] = transfer
      owner?.begins(transfer, in: self)
      var failure: NodeError?
      do throws(NodeError) { try await transfer.run() } catch { failure = error }
      if let failure { owner?.event(.failure(failure)) }
      incoming[offer.stream] = nil
      await owner?.ended(offer, transfer, failure, in: self)
      closeIfDone()
    }
  }

  // MARK: Ending

  /// How long the side that was dialled waits for the other to end a retired link (milliseconds).
  private static let grace = 30_000

  /// Sends nothing new from now on, and ends the link once nothing waits: at once where this side dialled it, else when
  /// the other has had its time to.
  func retire() {
    guard !isRetired else { return }
    isRetired = true
    owner?.changed(self)
    closeIfDone()
    guard isOpen, !link.isInitiator else { return }
    Loop.spawn { [weak self] in
      try? await Loop.sleep(for: Self.grace)
      self?.mayClose = true
      self?.closeIfDone()
    }
  }

  /// Whether nothing is under way.
  var isIdle: Bool { underWay.isEmpty && outgoing.isEmpty && incoming.isEmpty && pondered.isEmpty }

  private func closeIfDone() {
    guard isRetired, isOpen, link.isInitiator || mayClose, isIdle else { return }
    close(.replaced)
  }

  /// Ends the conversation.
  func close(_ reason: Close.Reason) { link.close(reason) }
}

extension PeerSession: TransferChannel {
  func send(_ message: some WireMessage) { link.send(message) }
  func sendChunk(_ header: ChunkHeader, in frame: inout MutableRawSpan) { link.sendChunk(header, in: &frame) }
  func flush() { link.flush() }
  func drain() async throws(LinkError) { try await link.drain() }
}
