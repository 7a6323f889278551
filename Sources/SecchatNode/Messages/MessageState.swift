internal import SecchatCore

/// What has become of a message. Our own begin at 11.
enum MessageState: Int64, Sendable {
  /// It came, and no person has seen it yet.
  case received = 1
  /// It came, and a person has seen it.
  case shown = 2
  /// It waits; nothing of it has left.
  case queued = 11
  /// It has left, once or more, and is not confirmed.
  case sent = 12
  /// The other side has it on disk.
  case delivered = 13
  /// A person there has seen it.
  case read = 14
  /// The other side does not take it.
  case refused = 15

  var isOurs: Bool { rawValue >= Self.queued.rawValue }
  /// Whether it is still to be delivered.
  var isWaiting: Bool { self == .queued || self == .sent }
}

/// A message with its place in the database.
struct StoredMessage: Sendable {
  let row: Int64
  let message: Message
  var state: MessageState
  /// Whether the word has come that a person there has seen it, ahead of its ACK over another link. Not on disk before
  /// that: what is not confirmed is sent again.
  var isSeen = false
}
