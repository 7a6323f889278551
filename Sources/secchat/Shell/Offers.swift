import SecchatNode
import SecchatTerminal

/// Offers of files that wait for an answer.
///
/// An answer means the offer that its reader saw: where another one may have been meant, it must be named.
final class Offers: Sendable {
  /// Of an id, as it is shown and typed.
  static let shownDigits = 6
  /// How long the node waits for an answer (seconds).
  static let lifetime = 120.0
  /// How long an offer that is over may still be on its reader's mind (seconds).
  static let echo = 60.0
  private static let maximum = 256
  private static let maximumOfOne = 16

  private struct Offer {
    let id: String
    let from: String
    let time: Double
  }

  private let offers = Locked<[Offer]>([])
  private let now: @Sendable () -> Double

  /// - Parameter now: seconds of a clock that nobody sets.
  init(now: @escaping @Sendable () -> Double = steadyTime) { self.now = now }

  /// Notes an offer; beyond the bounds the newest are left out, so that nobody can push out those of others.
  func add(_ offered: Event.Offered) {
    let now = now()
    offers.withLock { offers in
      offers.removeAll { $0.id == offered.id || now - $0.time >= Self.lifetime + Self.echo }
      guard offers.count < Self.maximum, offers.count(where: { $0.from == offered.from }) < Self.maximumOfOne
      else { return }
      offers.append(Offer(id: offered.id, from: offered.from, time: now))
    }
  }

  func remove(_ id: String) { offers.withLock { $0.removeAll { $0.id == id } } }

  /// Those that can still be answered, oldest first.
  var ids: [String] { offers.withLock { $0 }.filter(isWaiting).map(\.id) }

  private func isWaiting(_ offer: Offer) -> Bool { now() - offer.time < Self.lifetime }

  /// The whole id of the offer that begins so or comes from a user of that name; of the only one, unless named.
  func find(_ word: String?) throws(NodeError) -> String {
    let offers = offers.withLock { $0 }
    guard let word else { return try only(of: offers, "several offers wait, or did a moment ago") }
    let digits = word.lowercased()
    let named = offers.filter { $0.from == digits }
    let numbered = offers.filter { $0.id.hasPrefix(digits) && isWaiting($0) }
    guard named.isEmpty || numbered.isEmpty else {
      throw NodeError(.usage, "'\(word)' is a user and an offer", hint: "type more of the offer's digits")
    }
    if !named.isEmpty { return try only(of: named, "\(word) has made several offers") }
    if let found = numbered.first, numbered.count == 1 { return found.id }
    // An offer made before this shell was opened: its whole id still means something to the node.
    if word.utf8.count == 32 { return digits }
    throw NodeError(
      .usage, numbered.isEmpty ? "no offer begins with '\(word)'" : "several offers begin with '\(word)'",
      hint: "type the digits that the offer was shown with")
  }

  private func only(of offers: [Offer], _ several: String) throws(NodeError) -> String {
    let waiting = offers.filter(isWaiting)
    guard let offer = waiting.first else {
      throw NodeError(.usage, "no offer waits for an answer", hint: "they lapse after two minutes")
    }
    guard offers.count == 1 else {
      throw NodeError(
        .usage, several, hint: "name the one that is meant by the digits that it was shown with")
    }
    return offer.id
  }
}
