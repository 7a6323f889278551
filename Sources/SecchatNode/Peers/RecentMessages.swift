internal import SecchatCore

/// The ids of messages shown lately, so that one sent again over a new link is confirmed and not shown twice.
struct RecentMessages {
  private struct Key: Hashable {
    let account: Account
    let id: MessageID
  }

  private var known: Set<Key> = []
  private var order: [Key] = []
  private var oldest = 0
  private static let limit = 8_192

  func contains(_ id: MessageID, from account: Account) -> Bool {
    known.contains(Key(account: account, id: id))
  }

  /// Whether the message is new; remembers it.
  mutating func insert(_ id: MessageID, from account: Account) -> Bool {
    let key = Key(account: account, id: id)
    guard known.insert(key).inserted else { return false }
    if order.count < Self.limit {
      order.append(key)
    } else {
      known.remove(order[oldest])
      order[oldest] = key
      oldest = (oldest + 1) % Self.limit
    }
    return true
  }
}
