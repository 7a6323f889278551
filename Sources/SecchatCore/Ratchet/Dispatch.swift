internal import SecchatCrypto

/// The messages of one side that are on their way over one link: in order, each confirmed or refused. After a refusal
/// nothing more goes out until all that was on its way has its answer; then everything from the refused message on is
/// sealed and sent again.
package struct Dispatch: Sendable {
  private struct Item: Sendable {
    let id: MessageID
    let sealed: Correspondence.Sealed
    var answer: Answer?
  }

  private enum Answer { case confirmed, refused }

  private var items: [Item] = []
  /// The first message that was refused, and why.
  private var refusal: (id: MessageID, session: SessionID, reason: Refuse.Reason)?
  /// How many answers are still to come.
  private var unanswered = 0

  package init() {}

  /// Whether nothing is on its way: the next message says so, and the receiver takes it after a refusal.
  package var isIdle: Bool { unanswered == 0 }

  /// Whether more may follow what is on its way.
  package var isOpen: Bool { refusal == nil && unanswered < Int(Limits.chatCredit) }

  package mutating func send(_ id: MessageID, _ sealed: Correspondence.Sealed) {
    items.append(Item(id: id, sealed: sealed))
    unanswered += 1
  }

  /// An ACK: the messages that are confirmed now, with all before them, in order.
  package mutating func acknowledge(_ id: MessageID) -> [(id: MessageID, sealed: Correspondence.Sealed)] {
    guard let index = items.firstIndex(where: { $0.id == id && $0.answer == nil }) else { return [] }
    items[index].answer = .confirmed
    unanswered -= 1
    // One after a refused one has to wait for that one. The receiver has it from another link, where both came late.
    let count = items.firstIndex { $0.answer != .confirmed } ?? items.count
    defer { items.removeFirst(count) }
    return items[..<count].map { ($0.id, $0.sealed) }
  }

  /// A REFUSE. Says whether the message was on its way.
  package mutating func refuse(_ id: MessageID, _ reason: Refuse.Reason) -> Bool {
    guard let index = items.firstIndex(where: { $0.id == id && $0.answer == nil }) else { return false }
    items[index].answer = .refused
    unanswered -= 1
    if refusal == nil { refusal = (id, items[index].sealed.envelope.session, reason) }
    return true
  }

  /// The refusal, once nothing is on its way any more. Sending begins anew, from the first message not confirmed.
  package mutating func settle() -> (id: MessageID, session: SessionID, reason: Refuse.Reason)? {
    guard unanswered == 0, let refusal else { return nil }
    self = Dispatch()
    return refusal
  }
}

/// The receiving side of a link: after a refusal nothing is taken until the sender has heard of it, or what comes later
/// would overtake what was refused. Nor, once the sender has turned to another link, what it had sent here before: that
/// may be in a session which it has left since. Only messages that are not known come to it: what comes late again opens
/// nothing.
package struct Turnstile: Sendable {
  /// Whether the sender has heard of all that was refused, and sends here.
  package private(set) var isOpen = true

  package init() {}

  /// Whether a message may be looked at. `first`: its sender has no other on its way.
  package mutating func admits(first: Bool) -> Bool {
    if first { isOpen = true }
    return isOpen
  }

  package mutating func refuse() { isOpen = false }
}
