internal import SecchatNet

/// How many people whom nothing is pinned of may make this node ask its registry: far below what the registry allows
/// it, so that strangers cannot use up what its user needs.
struct StrangerAllowance {
  private static let lookups = 60
  private static let window = 60_000
  private static let atOnce = 16

  private var begun: Instant?
  private var used = 0
  private var underWay = 0

  /// Whether another may be asked about; to be followed by `end`.
  mutating func begin(at now: Instant) -> Bool {
    if begun.map({ now - $0 >= Self.window }) ?? true {
      begun = now
      used = 0
    }
    guard used < Self.lookups, underWay < Self.atOnce else { return false }
    used += 1
    underWay += 1
    return true
  }

  mutating func end() { underWay -= 1 }
}
