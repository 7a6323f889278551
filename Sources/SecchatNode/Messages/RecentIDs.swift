internal import SecchatCore

/// The ids that came last, so many of them: what comes again is known.
struct RecentIDs {
  private let capacity: Int
  private var known: Set<MessageID> = []
  private var order: [MessageID] = []
  private var oldest = 0

  /// - Parameter ids: the oldest first.
  init(capacity: Int, _ ids: some Sequence<MessageID> = []) {
    self.capacity = capacity
    for id in ids { insert(id) }
  }

  func contains(_ id: MessageID) -> Bool { known.contains(id) }

  /// Whether the id is new; remembers it.
  @discardableResult mutating func insert(_ id: MessageID) -> Bool {
    guard known.insert(id).inserted else { return false }
    if order.count < capacity {
      order.append(id)
    } else {
      known.remove(order[oldest])
      order[oldest] = id
      oldest = (oldest + 1) % capacity
    }
    return true
  }
}
