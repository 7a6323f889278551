internal import SecchatCore

/// The ids of messages shown lately, so that one sent again over a new link is confirmed and not shown twice; likewise
/// of offers. Each account has its own, so that nobody pushes out those of others by sending much.
struct RecentMessages {
  /// Of one account: twice what it may send before it hears of any.
  static let perAccount = 512
  /// The account that has been silent for longest is forgotten for another.
  static let accounts = 512

  private var rings: [Account: Ring] = [:]
  private var uses: UInt64 = 0

  private struct Ring {
    var known: Set<MessageID> = []
    private var order: [MessageID] = []
    private var oldest = 0
    var lastUse: UInt64 = 0

    mutating func insert(_ id: MessageID) -> Bool {
      guard known.insert(id).inserted else { return false }
      if order.count < RecentMessages.perAccount {
        order.append(id)
      } else {
        known.remove(order[oldest])
        order[oldest] = id
        oldest = (oldest + 1) % RecentMessages.perAccount
      }
      return true
    }
  }

  func contains(_ id: MessageID, from account: Account) -> Bool {
    rings[account]?.known.contains(id) ?? false
  }

  /// Whether the id is new; remembers it.
  mutating func insert(_ id: MessageID, from account: Account) -> Bool {
    if rings[account] == nil, rings.count >= Self.accounts {
      let silent = rings.min { $0.value.lastUse < $1.value.lastUse }
      if let silent { rings[silent.key] = nil }
    }
    uses += 1
    rings[account, default: Ring()].lastUse = uses
    return rings[account, default: Ring()].insert(id)
  }
}
