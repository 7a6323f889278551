internal import SecchatNet

/// Keeps a flow of bytes to a rate.
struct TokenBucket {
  /// Bytes a second.
  private let rate: Double
  private var tokens = 0.0
  private var last: Instant?

  /// At least a byte a second.
  init(rate: UInt64) { self.rate = Double(max(1, rate)) }

  /// What to send at once: a twentieth of a second's worth, so that the flow is even.
  var portion: Int { Int(min(1e9, max(1, rate / 20))) }

  /// Takes `count` bytes; how many milliseconds to wait before sending them.
  mutating func take(_ count: Int, at now: Instant) -> Int {
    if let last { tokens = min(Double(portion), tokens + rate * Double(now - last) / 1_000) }
    last = now
    tokens -= Double(count)
    return tokens >= 0 ? 0 : Int((-tokens / rate * 1_000).rounded(.up))
  }
}
