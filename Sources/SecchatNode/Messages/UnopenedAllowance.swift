internal import SecchatNet

/// How many messages of one account that nothing opens are looked at, over whatever links they come: to look for the key of
/// one takes thousands of hashes.
struct UnopenedAllowance {
  /// Some links' worth. An honest sender begins another session after each, and waits longer and longer after every fourth.
  static let atMost = 256
  private static let window = 60_000

  private var begun: Instant?
  private var count = 0

  /// Whether another message may be looked at.
  func isLeft(at now: Instant) -> Bool { count < Self.atMost || isOver(at: now) }

  /// Counts one that nothing has opened.
  mutating func spend(at now: Instant) {
    if isOver(at: now) { (begun, count) = (now, 0) }
    count += 1
  }

  private func isOver(at now: Instant) -> Bool { begun.map { now - $0 >= Self.window } ?? true }
}
