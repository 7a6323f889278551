internal import SecchatNet

/// How many people whom nothing is pinned of may make this node ask its registry: far below what the registry allows
/// it, so that strangers cannot use up what its user needs. Of the second half each address has a small share, so that one
/// host cannot keep all others out.
struct StrangerAllowance {
  private static let lookups = 60
  private static let perAddress = 6
  private static let window = 60_000
  private static let atOnce = 16

  private var begun: Instant?
  private var used = 0
  /// What of `used` came from where: never more entries than `lookups`.
  private var shares: [SocketAddress.RateKey: Int] = [:]
  private var underWay = 0

  /// Whether another, who came from that address, may be asked about; to be followed by `end`.
  mutating func begin(from address: SocketAddress.RateKey, at now: Instant) -> Bool {
    if begun.map({ now - $0 >= Self.window }) ?? true {
      begun = now
      used = 0
      shares = [:]
    }
    guard used < Self.lookups, underWay < Self.atOnce,
      used < Self.lookups / 2 || shares[address, default: 0] < Self.perAddress
    else { return false }
    used += 1
    shares[address, default: 0] += 1
    underWay += 1
    return true
  }

  mutating func end() { underWay -= 1 }
}
