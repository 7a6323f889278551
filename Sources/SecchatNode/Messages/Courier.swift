internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// Carries the messages for one account: one task, which is there as long as something waits. In order, over one link at a
/// time; what a link has not confirmed when it ends is sent again over the next.
@LoopActor final class Courier {
  let conversation: Conversation
  /// Who lets go of this one when it closes.
  private let node: Node

  private var session: PeerSession?
  private var dispatch = Dispatch()
  private var correspondent: Correspondent?
  /// How many of what waits are on their way.
  private var cursor = 0
  /// Counts the links, so that what was sealed for one does not go out over the next.
  private var era = 0
  /// Why this link is of no use for now, and that it is not.
  private var obstacle: Obstacle?
  /// What keeps messages from being confirmed, for their user.
  private(set) var trouble: String?
  private var isRunning = false
  private var wake: OneShot<Void>?
  private var wasWoken = false
  /// Whether the user has written something since the pause began: a person is there who waits.
  private var isUrged = false
  private var isUnreachable = false

  /// Those who wait for what becomes of a message.
  let audience = Audience()
  /// Rows that are not in the database yet.
  private var unsaved: Set<Int64> = []
  /// Confirmed rows whose state the database does not have yet.
  private var confirmed: [StoredMessage] = []
  /// Sessions begun since a message was last confirmed.
  private var fresh = 0
  /// Whether one has been refused as out of turn since then.
  private var wasOutOfTurn = false
  private var failures = 0
  /// What was sealed in this turn and is to be written together.
  private var sheaf: Sheaf?

  private struct Sheaf {
    let era: Int
    var change = MessageChange()
    var letters: [(stored: StoredMessage, isNew: Bool, chat: Chat)] = []
  }

  /// So many messages at most share a change.
  private static let sheafSize = 64
  private var failedPrekey: UInt32?

  private enum Obstacle {
    /// The other side cannot take messages now.
    case busy
    /// Our database cannot.
    case disk
    /// No session can be begun.
    case noSession
  }

  /// How often a session is begun anew before one waits for better times.
  private static let freshSessions = 4
  /// Pauses between attempts (milliseconds).
  private static let firstPause = 1_000
  private static let longestPause = 300_000

  init(_ conversation: Conversation, node: Node) {
    self.conversation = conversation
    self.node = node
  }

  // MARK: Taking messages

  /// Takes a message to carry. It is durable when it leaves, or when `keep` returns.
  func take(_ message: Message) {
    let row = node.conversations.newMessageRow()
    conversation.waiting.append(StoredMessage(row: row, message: message, state: .queued))
    unsaved.insert(row)
    isUrged = true
    start()
    // What cannot leave in this turn is kept.
    Loop.spawn { try? await self.keep() }
  }

  /// Keeps what has not left yet.
  ///
  /// - Throws: what the database says; the messages are not kept then.
  func keep() async throws(NodeError) {
    for message in conversation.waiting where unsaved.contains(message.row) {
      unsaved.remove(message.row)
      do throws(NodeError) {
        try await commit(MessageChange(inserts: [insert(message, .queued)]))
      } catch {
        drop(message, .lost(error))
        throw error
      }
    }
  }

  /// Durable when it returns.
  private func commit(_ change: MessageChange) async throws(NodeError) {
    let done = OneShot<Result<Void, NodeError>>()
    node.store.commit(change) { result in done.fulfil(result.map { _ in () }) }
    if let result = try? await done.wait() { try result.get() }
  }

  /// Takes a message back that has not left.
  func cancel(_ id: MessageID) async throws(NodeError) -> Bool {
    guard let message = conversation.waiting.first(where: { $0.message.id == id }), message.state == .queued
    else { return false }
    let isUnsaved = unsaved.contains(message.row)
    takeOut(message)
    do throws(NodeError) { if !isUnsaved { try await node.store.forget(message.row) } } catch {
      // It is on the disk still, and goes on waiting.
      putBack([message])
      throw error
    }
    audience.settle(id, .lost(NodeError(.usage, "the message is not kept: it was taken back")))
    return true
  }

  private func drop(_ message: StoredMessage, _ fate: Fate) {
    if takeOut(message) { audience.settle(message.message.id, fate) }
  }

  /// Says whether it was there.
  @discardableResult private func takeOut(_ message: StoredMessage) -> Bool {
    guard let index = conversation.waiting.firstIndex(where: { $0.row == message.row }) else { return false }
    conversation.waiting.remove(at: index)
    if index < cursor { cursor -= 1 }
    unsaved.remove(message.row)
    return true
  }

  /// Puts messages that were taken out into their places among those that wait: on the disk they still do. What is on its
  /// way behind one of them goes out again after it, over another link.
  func putBack(_ messages: [StoredMessage]) {
    for message in messages {
      let place = conversation.waiting.firstIndex { $0.row > message.row } ?? conversation.waiting.count
      conversation.waiting.insert(message, at: place)
      guard place < cursor else { continue }
      cursor += 1
      session?.close(.goingAway)
    }
    if !messages.isEmpty { start() }
  }

  private func insert(_ stored: StoredMessage, _ state: MessageState) -> MessageChange.Insert {
    MessageChange.Insert(
      row: stored.row, conversation: conversation.row, message: stored.message.id, state: state,
      body: conversation.key.seal(stored.message, row: stored.row, isOurs: true))
  }

  // MARK: Running

  /// Sets out, where something waits.
  func start() {
    wasWoken = true
    wake?.fulfil(())
    guard !isRunning, !conversation.waiting.isEmpty, !node.isClosing else { return }
    isRunning = true
    Loop.spawn {
      await self.run()
      self.isRunning = false
    }
  }

  /// The peer has come online, or a link to it is there.
  func peerIsThere() {
    isUnreachable = false
    start()
  }

  private func run() async {
    while !conversation.waiting.isEmpty, !node.isClosing {
      guard let session = await reach() else {
        isUnreachable = true
        // Until the peer shows itself. A node that is there for a command does not wait.
        guard node.stays else { return }
        await pause(unless: { !self.isUnreachable })
        continue
      }
      obstacle = nil
      let former = failures
      await converse(over: session)
      self.session = nil
      if obstacle != nil {
        await pause()
      } else if failures > 0, failures == former {
        // Links that end before anything is confirmed: somebody may be cutting them. Another one that stands is used.
        await pause { self.node.sessions.session(with: self.conversation.account) != nil }
      } else {
        // Once more at once.
        failures += 1
      }
    }
    if conversation.waiting.isEmpty { failures = 0 }
    flushConfirmed()
  }

  /// Longer each time that nothing was confirmed in between, until woken and over.
  private func pause(unless isOver: () -> Bool = { false }) async {
    let longest = min(Self.firstPause << min(failures, 10), Self.longestPause)
    failures += 1
    isUrged = false
    let begun = Instant.now
    let end = begun + Int.random(in: longest / 2...longest)
    while !isOver(), !node.isClosing {
      // Nobody knocks at once at the door of who is known to be away: the registry says when they are back. But it is not
      // believed for ever.
      let isAway = isUnreachable && node.isKnownOffline(conversation.account.name)
      let urgent = isUrged && obstacle != .noSession ? min(end, begun + Self.firstPause / 2) : end
      let end = isAway ? begun + Self.longestPause : urgent
      guard Instant.now < end else { return }
      await nap(until: end)
    }
  }

  /// Waits for something to happen.
  private func nap(until deadline: Instant? = nil) async {
    guard !wasWoken else {
      wasWoken = false
      return
    }
    let wake = OneShot<Void>()
    self.wake = wake
    _ = try? await wake.wait(deadline: deadline)
    self.wake = nil
    wasWoken = false
  }

  private func stir() {
    wasWoken = true
    wake?.fulfil(())
  }

  /// A link to the account; nil where there is none to be had now.
  private func reach() async -> PeerSession? {
    // What waits is held while another identity key is offered.
    guard node.contacts[conversation.account]?.offered == nil else { return nil }
    do throws(NodeError) { return try await node.session(with: conversation.account) } catch { return nil }
  }

  /// Until all is confirmed, the link is over, or there is an obstacle.
  private func converse(over session: PeerSession) async {
    guard let list = node.contacts[conversation.account]?.pinned.list,
      let party = Party(session.device, on: list)
    else {
      obstacle = .noSession
      return
    }
    do throws(NodeError) {
      begin(over: session, to: try await conversation.correspondent(party))
    } catch {
      obstacle = .disk
      node.event(.failure(error))
      return
    }
    while session.isOpen, !session.isDoubtful, obstacle == nil, self.session === session {
      if let refusal = dispatch.settle() {
        await handle(refusal)
      } else if mayGoOn {
        if correspondent?.correspondence.needsBundle ?? true {
          await beginSession(over: session)
        } else {
          sealNext(over: session)
        }
      } else if dispatch.isIdle, conversation.waiting.isEmpty || hasBetter {
        return
      } else {
        await nap()
      }
    }
  }

  private var mayGoOn: Bool {
    guard let session else { return false }
    return dispatch.isOpen && !hasBetter && session.chatCredit > 0 && cursor < conversation.waiting.count
  }

  /// Whether another link has taken over. One that was replaced is better than none.
  private var hasBetter: Bool {
    guard let session, session.isRetired else { return false }
    return node.sessions.session(with: conversation.account) !== session
  }

  private func begin(over session: PeerSession, to correspondent: Correspondent) {
    // What belongs to the state with the one before.
    flush()
    era += 1
    self.session = session
    self.correspondent = correspondent
    dispatch = Dispatch()
    cursor = 0
    correspondent.correspondence.rewind()
  }

  // MARK: Sending

  private func sealNext(over session: PeerSession) {
    guard let correspondent else { return }
    var correspondence = correspondent.correspondence
    let stored = conversation.waiting[cursor]
    let sealed: Correspondence.Sealed
    do throws(RatchetError) { sealed = try correspondence.seal(stored.message) } catch {
      // A chain whose numbers are used up, after four milliards of messages.
      obstacle = .noSession
      return
    }
    correspondent.correspondence = correspondence
    conversation.waiting[cursor].state = .sent
    let chat = Chat(id: stored.message.id, first: dispatch.isIdle, envelope: sealed.envelope)
    dispatch.send(chat.id, sealed)
    cursor += 1
    session.expect(chat)
    if sheaf == nil {
      sheaf = Sheaf(era: era)
      Loop.spawn { self.post() }
    }
    let isNew = unsaved.remove(stored.row) != nil
    if isNew {
      sheaf?.change.inserts.append(insert(stored, .sent))
    } else if stored.state != .sent {
      sheaf?.change.states.append((stored.row, .sent))
    }
    sheaf?.letters.append((stored, isNew, chat))
    if sheaf?.letters.count ?? 0 >= Self.sheafSize { post() }
  }

  /// Writes what was sealed, and sends it when that is durable.
  private func post() {
    guard var sheaf, let correspondent else { return }
    self.sheaf = nil
    node.keepArrivals(conversation, correspondent)
    let confirmed = takeConfirmed(by: correspondent, into: &sheaf.change)
    sheaf.change.correspondence = correspondent.change(node.store)
    node.tidySoon()
    let (letters, session) = (sheaf.letters, session)
    node.store.commit(sheaf.change) { [era = sheaf.era] result in
      switch result {
      case .success:
        // Not over another link: there it has been sealed anew.
        guard self.era == era, let session else { return }
        for letter in letters {
          session.send(letter.chat)
          self.audience.tellDeparture(of: letter.chat.id)
        }
      case .failure(let error):
        self.putBack(confirmed)
        for letter in letters { self.lost(letter.stored, isNew: letter.isNew, error) }
        self.fail(error, correspondent)
      }
    }
  }

  /// A message was not written.
  private func lost(_ stored: StoredMessage, isNew: Bool, _ error: NodeError) {
    if let index = conversation.waiting.firstIndex(where: { $0.row == stored.row }), stored.state == .queued {
      conversation.waiting[index].state = .queued
    }
    // What was on disk before stays in its place; what was to be written with this change is nowhere.
    if isNew { drop(stored, .lost(error)) }
  }

  /// A change of the state with a device was not written.
  private func fail(_ error: NodeError, _ correspondent: Correspondent) {
    let isNews = correspondent === self.correspondent && error != ProfileStore.unfounded
    conversation.forget(correspondent)
    letGo(of: correspondent, error)
    if isNews { node.event(.failure(error)) }
  }

  /// What was in memory of a device is not what is on disk: nothing that builds on it may go out.
  func letGo(of correspondent: Correspondent, _ error: NodeError) {
    guard correspondent === self.correspondent else { return }
    self.correspondent = nil
    obstacle = .disk
    // What was begun and not written says nothing against the peer's prekeys.
    fresh = 0
    // Links that are waited on for answers to what never left are of no use.
    session?.close(.goingAway)
    session = nil
    era += 1
    for letter in sheaf?.letters ?? [] { lost(letter.stored, isNew: letter.isNew, error) }
    sheaf = nil
    let unwritten = confirmed
    confirmed = []
    putBack(unwritten)
    stir()
  }

  // MARK: Answers

  /// An ACK came over a link.
  func acknowledged(_ id: MessageID, over session: PeerSession) {
    guard self.session === session else { return }
    for (id, sealed) in dispatch.acknowledge(id) {
      correspondent?.correspondence.confirm(sealed)
      guard let first = conversation.waiting.first, first.message.id == id else { continue }
      conversation.waiting.removeFirst()
      cursor -= 1
      if confirmed.isEmpty { Loop.spawn { self.flushConfirmed() } }
      confirmed.append(first)
      trouble = nil
      fresh = 0
      wasOutOfTurn = false
      failures = 0
      failedPrekey = nil
      // Who waits for it is told by the answer; who waits for it to be read, by this.
      if case .text = first.message.body, first.isSeen || !audience.awaits(id) {
        node.told(id, first.isSeen ? .read : .delivered, conversation.account)
      }
      audience.settle(id, .delivered)
    }
    stir()
  }

  /// A person there has seen messages. Of those that wait for their ACK it is kept with that.
  func seen(_ ids: [MessageID]) {
    for index in conversation.waiting.indices where conversation.waiting[index].state == .sent {
      if ids.contains(conversation.waiting[index].message.id) { conversation.waiting[index].isSeen = true }
    }
  }

  /// A REFUSE came over a link.
  func refused(_ id: MessageID, _ reason: Refuse.Reason, over session: PeerSession) {
    guard self.session === session, dispatch.refuse(id, reason) else { return }
    stir()
  }

  /// A link has more credit, has ended, or is not to be used any more.
  func changed(_ session: PeerSession) {
    if self.session === session { stir() }
  }

  /// Puts what was confirmed by a device into a change, which has the state that knows of it too.
  ///
  /// - Returns: what it was, to be given back to `putBack` where the change is not written.
  func takeConfirmed(by device: Correspondent, into change: inout MessageChange) -> [StoredMessage] {
    guard device === correspondent else { return [] }
    defer { confirmed = [] }
    for one in confirmed {
      guard case .text = one.message.body else {
        change.deletions.append(one.row)
        continue
      }
      change.states.append((one.row, one.isSeen ? .read : .delivered))
      guard one.message.expires > 0 else { continue }
      // Until it was there it was not to be forgotten.
      let time = Clock.unixSeconds + UInt64(one.message.expires)
      change.expiries.append((one.row, time))
      node.expires(at: time)
    }
    return confirmed
  }

  /// Hands what this turn has brought to the database, ahead of whatever is handed to it next.
  func flush() {
    post()
    flushConfirmed()
  }

  private func flushConfirmed() {
    guard !confirmed.isEmpty, let correspondent else { return }
    node.keepArrivals(conversation, correspondent)
    guard !confirmed.isEmpty else { return }
    var change = MessageChange()
    let taken = takeConfirmed(by: correspondent, into: &change)
    change.correspondence = correspondent.change(node.store)
    node.store.commit(change) { result in
      guard case .failure(let error) = result else { return }
      self.putBack(taken)
      self.fail(error, correspondent)
    }
  }

  private func handle(_ refusal: (id: MessageID, session: SessionID, reason: Refuse.Reason)) async {
    correspondent?.correspondence.rewind()
    cursor = 0
    switch refusal.reason {
    case .declined:
      guard let message = conversation.waiting.first, message.message.id == refusal.id else { return }
      var change = MessageChange()
      if case .text = message.message.body {
        change.states.append((message.row, .refused))
        // Who waits for it is told by the answer.
        if !audience.awaits(refusal.id) { node.told(refusal.id, .refused, conversation.account) }
      } else {
        change.deletions.append(message.row)
      }
      drop(message, .refused)
      do throws(NodeError) { try await commit(change) } catch {
        putBack([message])
        obstacle = .disk
      }
    case .outOfTurn where !wasOutOfTurn:
      // Behind messages that the peer had from another link. Next time it is the first on its way, and as such in turn.
      wasOutOfTurn = true
    case .busy, .noRoom, .unanswered, .outOfTurn:
      obstacle = .busy
      trouble = "\(conversation.account.name) is busy"
    case .undecryptable, .unknownPrekey:
      if refusal.reason == .unknownPrekey {
        failedPrekey = correspondent?.correspondence.oneTimePrekey(of: refusal.session)
      }
      let isLeft = correspondent?.correspondence.abandon(refusal.session) ?? false
      // A session in which nothing was confirmed may have been begun with prekeys that only the registry calls the peer's.
      if isLeft, refusal.reason == .undecryptable, fresh == 0 {
        node.event(.sessionReset(.init(user: conversation.account.name.text, reason: .theirs)))
      }
    }
  }

  // MARK: Sessions

  private func beginSession(over session: PeerSession) async {
    guard fresh < Self.freshSessions, let correspondent else {
      fresh = 0
      obstacle = .noSession
      return
    }
    fresh += 1
    let era = era
    do throws(NodeError) {
      let bundle = try await node.bundle(
        for: correspondent.party, over: session, failed: failedPrekey, attempt: fresh)
      guard self.era == era, correspondent.correspondence.needsBundle else { return }
      let ours = Party(node.identity, account: try node.account())
      do throws(CryptoError) {
        try correspondent.correspondence.begin(with: bundle, as: ours, node.identity)
      } catch {
        throw NodeError(.integrity, "the prekeys of \(conversation.account.name) are no keys")
      }
    } catch {
      if self.era == era { obstacle = .noSession }
    }
  }
}
