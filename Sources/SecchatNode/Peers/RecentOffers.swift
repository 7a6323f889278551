internal import SecchatCore

/// The ids of offers that the user was asked about lately: what comes with one of them again has to be the same offer.
/// Each account has its own, so that nobody pushes out those of others by sending much.
struct RecentOffers {
  /// Of one account.
  static let perAccount = 512
  /// The account that has been silent for longest is forgotten for another.
  static let accounts = 512

  private var recent: [Account: OfOne] = [:]
  private var uses: UInt64 = 0

  private struct OfOne {
    var ids = RecentIDs(capacity: RecentOffers.perAccount)
    var lastUse: UInt64 = 0
  }

  func contains(_ id: MessageID, from account: Account) -> Bool {
    recent[account]?.ids.contains(id) ?? false
  }

  /// Whether the id is new; remembers it.
  mutating func insert(_ id: MessageID, from account: Account) -> Bool {
    if recent[account] == nil, recent.count >= Self.accounts {
      let silent = recent.min { $0.value.lastUse < $1.value.lastUse }
      if let silent { recent[silent.key] = nil }
    }
    uses += 1
    recent[account, default: OfOne()].lastUse = uses
    return recent[account, default: OfOne()].ids.insert(id)
  }
}
