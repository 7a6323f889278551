/// A bounded map that forgets what has not been used for long: two generations, and when the young one is full it
/// becomes the old one. What is found in the old one is young again.
struct GenerationCache<Key: Hashable, Value> {
  private let half: Int
  private var young: [Key: Value] = [:]
  private var old: [Key: Value] = [:]

  /// Holds at most `capacity` values, and at least half as many of the most recent ones.
  init(capacity: Int) { half = max(1, capacity / 2) }

  var count: Int { young.count + old.count }

  subscript(key: Key) -> Value? {
    mutating get {
      if let value = young[key] { return value }
      guard let value = old[key] else { return nil }
      insert(value, key)
      return value
    }
    set {
      guard let newValue else {
        young[key] = nil
        old[key] = nil
        return
      }
      insert(newValue, key)
    }
  }

  private mutating func insert(_ value: Value, _ key: Key) {
    if young.count >= half, young[key] == nil {
      old = young
      young = [:]
    }
    old[key] = nil
    young[key] = value
  }
}
