internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatText

/// The past: read, searched, and forgotten.
extension Node {
  /// - Parameter room: waits until whoever asks has taken what was emitted; false where nobody asks any more.
  func history(
    _ user: String?, _ search: String?, _ since: Double?, _ limit: Int?,
    room: () async -> Bool, _ emit: (Event) -> Void
  ) async throws(NodeError) {
    var counted = conversations.all
    if let user {
      let account = try peer(user)
      counted = counted.filter { $0.account == account }
    }
    guard !counted.isEmpty, limit.map({ $0 > 0 }) ?? true else { return }
    let accounts = Dictionary(uniqueKeysWithValues: counted.map { ($0.row, $0.account) })
    let query = HistoryQuery(
      conversation: user == nil ? nil : counted.first?.row,
      search: search.map { FoldedText($0) }, since: since.map { UInt64(min(max(0, $0 * 1_000), 0x1p62)) },
      limit: limit,
      now: Clock.unixSeconds)
    let own = settings.account?.name ?? ""
    try await reader().read(query) {
      Dictionary(uniqueKeysWithValues: counted.map { ($0.row, $0.key) })
    } _: { found in
      for (index, one) in found.enumerated() {
        guard let account = accounts[one.conversation] else { continue }
        if let event = event(of: one.message, with: account, own) { emit(event) }
        if (index + 1) % Self.handful == 0 {
          guard await room() else { return false }
        }
      }
      return await room()
    }
  }

  /// Messages that are handed over before it is waited until they are taken: some MiB at most.
  private static let handful = 256

  /// A connection of its own for the past; opened by the first who asks.
  private func reader() async throws(NodeError) -> HistoryReader {
    if let historyReader { return historyReader }
    let folder = folder
    let fresh = try await Loop.offload { () throws(NodeError) in try HistoryReader(folder) }
    if let historyReader { return historyReader }
    historyReader = fresh
    return fresh
  }

  /// A message as programs read it; nil for what is no text.
  func event(of stored: StoredMessage, with account: Account, _ own: String) -> Event? {
    guard case .text(let text) = stored.message.body else { return nil }
    let other = account.name.text
    let isOurs = stored.state.isOurs
    return .message(
      .init(
        id: Hex.encode(stored.message.id.array), from: isOurs ? own : other, to: isOurs ? other : own,
        text: text,
        time: Double(stored.message.sent) / 1_000, verified: contacts[account]?.isVerified ?? false,
        state: isOurs ? "\(stored.state)" : nil))
  }

  // MARK: Forgetting

  func deleteHistory(_ user: String) async throws(NodeError) {
    guard let conversation = conversations[try peer(user)] else {
      throw NodeError(.usage, "there is no conversation with \(user)")
    }
    // A second one at the same time would not know of the first one's key.
    guard !conversation.isBeingDeleted else {
      throw NodeError(.usage, "the history with \(user) is being deleted already")
    }
    conversation.isBeingDeleted = true
    defer { conversation.isBeingDeleted = false }
    // The keys are on the disk before anything is sealed under the new one: whatever fails, all can be read.
    let both = ConversationKey(succeeding: conversation.key)
    try await store.save(both, of: conversation.row)
    // What was sealed in this turn is written before what is sealed is destroyed. Nothing may be waited for in between.
    couriers[conversation.account]?.flush()
    for correspondent in conversation.correspondentsInUse { keepArrivals(conversation, correspondent) }
    let waiting = conversation.replaceKey(both)
    let alone = both.alone
    try await store.destroy(conversation.row, key: alone, waiting: waiting)
    conversation.key = alone
    do throws(NodeError) { try await store.clean() } catch {
      tidySoon()
      throw NodeError(
        .internal,
        "the history is deleted, but its remains are in the database's log still: \(error.message)",
        hint: "end what reads the history, and delete it once more")
    }
  }

  func setExpiry(_ user: String, _ seconds: UInt32) async throws(NodeError) {
    let conversation = try await conversations.open(try peer(user))
    let former = conversation.settings.expires
    conversation.settings.expires = seconds
    do throws(NodeError) { try await store.save(conversation) } catch {
      if conversation.settings.expires == seconds { conversation.settings.expires = former }
      throw error
    }
  }

  /// Forgets what has expired, and sees to what will.
  func sweepExpired() async {
    guard !isClosing else { return }
    do throws(NodeError) {
      if let next = try await store.expire(now: Clock.unixSeconds) { expires(at: next) }
    } catch {
      // The disk may have room again by then.
      expires(at: Clock.unixSeconds + Self.expiryPause)
    }
  }

  /// How soon it is tried again to forget what could not be forgotten (seconds).
  private static let expiryPause: UInt64 = 60

  /// Keys of messages are overwritten in the database at once, and in its log so much later (milliseconds).
  private static let tidying = 10_000

  /// Empties the database's log a moment later: it holds states from before, and their keys.
  func tidySoon() {
    guard stays, !isTidying else { return }
    isTidying = true
    Loop.spawn { [weak self] in
      try? await Loop.sleep(for: Self.tidying)
      guard let self, !self.isClosing else { return }
      self.isTidying = false
      try? await self.store.clean()
    }
  }

  /// Something is to be forgotten at that time (Unix seconds).
  func expires(at time: UInt64) {
    guard stays, nextExpiry.map({ time < $0 }) ?? true else { return }
    nextExpiry = time
    // There is one who waits, however many messages come that expire ever sooner.
    expirySleeper?.cancel()
    expirySleeper = Loop.spawn { [weak self] in
      let now = Clock.unixSeconds
      // The clock may be set meanwhile: so long at a time.
      let pause = Int(clamping: min(time > now ? time - now : 0, 3_600)) * 1_000 + 500
      guard (try? await Loop.sleep(for: pause)) != nil, let self, !Task.isCancelled else { return }
      self.nextExpiry = nil
      self.expirySleeper = nil
      await self.sweepExpired()
    }
  }
}
