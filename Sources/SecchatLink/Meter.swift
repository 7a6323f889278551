internal import SecchatCore

/// Counts what has passed in one direction since its last REKEY.
struct Meter {
  private let frameLimit: UInt64
  private let byteLimit: UInt64
  private var frames: UInt64 = 0
  private var bytes: UInt64 = 0

  init(frames: UInt64 = Limits.rekeyFrames, bytes: UInt64 = Limits.rekeyBytes) {
    frameLimit = frames
    byteLimit = bytes
  }

  /// Whether a frame of `count` bytes, and a REKEY after it, still fit under both limits.
  func allows(_ count: Int) -> Bool {
    frames + 2 <= frameLimit && bytes + UInt64(count) + 1 <= byteLimit
  }

  /// Whether the limits still hold.
  var isWithinLimits: Bool { frames <= frameLimit && bytes <= byteLimit }

  mutating func count(_ count: Int) {
    frames += 1
    bytes += UInt64(count)
  }

  /// A REKEY has passed.
  mutating func restart() {
    frames = 0
    bytes = 0
  }
}
