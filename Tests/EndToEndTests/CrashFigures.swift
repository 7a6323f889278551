import Foundation
import TestSupport
import Testing

/// What was counted in conversations under kills.
struct CrashFigures: CustomStringConvertible {
  var kills = 0
  /// How long was killed, and how long it took until nothing waited any more.
  var killed = Duration.zero
  var settled = Duration.zero
  var accepted = 0
  /// Messages whose command ended without a word of them.
  var unanswered = 0
  /// Messages that the receivers have.
  var kept = 0
  var lost = 0
  var twice = 0
  var disordered = 0
  /// Kept by a daemon that was killed before it had printed them.
  var hidden = 0
  var resets = 0
  var statuses: [Int32: Int] = [:]

  /// Counts what two have who have written to one another; no program has their profiles open.
  mutating func count(_ users: [CrashUser]) throws {
    let rows = try users.map { try MessageRows(of: $0.profile) }
    for (sender, receiver) in [(0, 1), (1, 0)] {
      try count(users[sender], rows[sender], to: users[receiver], rows[receiver])
    }
    let said = users.flatMap { $0.records + $0.outcomes.flatMap(\.records) }
    let news = said.filter { $0.type == "session-reset" }
    resets += news.count
    #expect(news.isEmpty)
    // Nothing was found damaged, and nothing went wrong inside.
    let failures = said.filter { $0.type == "error" && [2, 8].contains($0.number("code")) }
    #expect(failures.allSatisfy { $0["message"]?.contains("node ended") ?? false }, "\(failures.prefix(5))")
    for user in users { statuses.merge(user.statuses, uniquingKeysWith: +) }
  }

  private mutating func count(
    _ sender: CrashUser, _ sent: MessageRows, to receiver: CrashUser, _ received: MessageRows
  ) throws {
    let shown = receiver.records.filter { $0.type == "message" }
    let ids = shown.compactMap { $0["id"] }
    let numbers = shown.compactMap { $0["text"].flatMap { Int($0.prefix { $0 != " " }) } }
    let places = Dictionary(received.received.enumerated().map { ($1, $0) }) { first, _ in first }
    let order = sender.accepted.compactMap { places[$0] }

    accepted += sender.accepted.count
    unanswered += sender.unanswered
    kept += received.received.count
    lost += sender.accepted.count - order.count
    twice += ids.count - Set(ids).count
    hidden += received.received.count - Set(ids).count
    disordered += zip(numbers, numbers.dropFirst()).count { $0 >= $1 }
    disordered += zip(order, order.dropFirst()).count { $0 >= $1 }
    // Both databases tell one story: what the one has sent the other has, in the same order.
    #expect(sent.own.map(\.id) == received.received)
    #expect(sent.own.allSatisfy { $0.state == MessageRows.delivered }, "\(sent.own.map(\.state))")
    #expect(Set(ids).isSubset(of: received.received))
    #expect(numbers.count == shown.count)
  }

  var description: String {
    """
    crash: \(kills) kills in \(killed), settled in \(settled): \(accepted) messages accepted, \
    \(unanswered) without an answer, \(kept) kept, \(lost) lost, \(twice) shown twice, \(disordered) out of order, \
    \(hidden) kept and not shown, \(resets) session resets; commands by status \
    \(statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
    """
  }
}
