import CUV

/// A point on the monotonic clock, in milliseconds.
package struct Instant: Comparable, Hashable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static var now: Instant { Instant(milliseconds: Int64(uv_hrtime() / 1_000_000)) }

  package static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

  /// `instant + milliseconds`; stays at the end of time rather than overflowing.
  package static func + (instant: Instant, milliseconds: Int) -> Instant {
    let (sum, overflow) = instant.milliseconds.addingReportingOverflow(Int64(milliseconds))
    return Instant(milliseconds: overflow ? (milliseconds > 0 ? .max : .min) : sum)
  }

  /// The milliseconds from `b` to `a`.
  package static func - (a: Instant, b: Instant) -> Int { Int(a.milliseconds &- b.milliseconds) }
}
