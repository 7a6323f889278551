/// So many in a period, and up to `burst` at once after a quiet time.
package struct Rate: Equatable, Sendable {
  package var count: Int
  /// Milliseconds.
  package var period: Int
  package var burst: Int

  /// `burst` is `count` unless given.
  package init(_ count: Int, per period: Int, burst: Int? = nil) {
    self.count = count
    self.period = period
    self.burst = burst ?? count
  }
}

/// One asker's allowance under a rate. Time comes from outside, in milliseconds.
struct TokenBucket {
  private var tokens: Double
  private var asOf: Int64

  init(full rate: Rate, now: Int64) {
    tokens = Double(rate.burst)
    asOf = now
  }

  private mutating func refill(_ rate: Rate, _ now: Int64) {
    let elapsed = Double(max(0, now - asOf))
    tokens = min(Double(rate.burst), tokens + elapsed * Double(rate.count) / Double(rate.period))
    asOf = max(asOf, now)
  }

  /// Takes `cost` tokens, or a whole burst where that is less: nil where there were so many, or the milliseconds until
  /// there are.
  mutating func take(_ rate: Rate, cost: Int = 1, now: Int64) -> Int? {
    let wait = wait(rate, cost: cost, now: now)
    if wait == nil { tokens -= Double(min(cost, rate.burst)) }
    return wait
  }

  /// The same without taking any.
  mutating func wait(_ rate: Rate, cost: Int = 1, now: Int64) -> Int? {
    refill(rate, now)
    let missing = Double(max(1, min(cost, rate.burst))) - tokens
    guard missing > 0 else { return nil }
    guard rate.count > 0 else { return rate.period }
    return Int(missing * Double(rate.period) / Double(rate.count)) + 1
  }

  /// Gives a token back.
  mutating func refund(_ rate: Rate) { tokens = min(Double(rate.burst), tokens + 1) }

  /// Whether forgetting it changes nothing.
  mutating func isFull(_ rate: Rate, now: Int64) -> Bool {
    refill(rate, now)
    return tokens >= Double(rate.burst)
  }
}

/// A bucket for each asker, so many askers at most.
struct RateLimiter<Key: Hashable> {
  let rate: Rate
  private let capacity: Int
  private var buckets: [Key: TokenBucket] = [:]

  /// - Parameter capacity: buckets kept; a bucket takes some 50 bytes.
  init(_ rate: Rate, capacity: Int = 65_536) {
    self.rate = rate
    self.capacity = capacity
  }

  var count: Int { buckets.count }

  /// Takes `cost` tokens of `key`: nil where there were so many, or the milliseconds until there are.
  mutating func take(_ key: Key, cost: Int = 1, now: Int64) -> Int? {
    if buckets[key] == nil, buckets.count >= capacity { makeRoom(now) }
    return buckets[key, default: TokenBucket(full: rate, now: now)].take(rate, cost: cost, now: now)
  }

  /// How many milliseconds there is no token of `key`; nil where there is one.
  mutating func wait(_ key: Key, now: Int64) -> Int? { buckets[key]?.wait(rate, now: now) }

  mutating func refund(_ key: Key) { buckets[key]?.refund(rate) }

  /// Full buckets go first; they say nothing. Then an eighth of the others, whichever: under so many askers a few
  /// get a second allowance, and the cost stays small for each.
  private mutating func makeRoom(_ now: Int64) {
    buckets = buckets.filter { entry in
      var bucket = entry.value
      return !bucket.isFull(rate, now: now)
    }
    let surplus = buckets.count - (capacity - max(1, capacity / 8))
    guard surplus > 0 else { return }
    for key in buckets.keys.prefix(surplus) { buckets[key] = nil }
  }
}
