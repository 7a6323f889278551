internal import SecchatCore

/// The ids of messages that came last: what comes again is confirmed and not shown twice.
struct RecentIDs {
  /// Four times what may be on its way.
  static let capacity = 1_024

  private var known: Set<MessageID> = []
  private var order: [MessageID] = []
  private var oldest = 0

  /// - Parameter ids: the oldest first.
  init(_ ids: some Sequence<MessageID> = []) {
    for id in ids { insert(id) }
  }

  func contains(_ id: MessageID) -> Bool { known.contains(id) }

  /// Whether the id is new; remembers it.
  @discardableResult mutating func insert(_ id: MessageID) -> Bool {
    guard known.insert(id).inserted else { return false }
    if order.count < Self.capacity {
      order.append(id)
    } else {
      known.remove(order[oldest])
      order[oldest] = id
      oldest = (oldest + 1) % Self.capacity
    }
    return true
  }
}
