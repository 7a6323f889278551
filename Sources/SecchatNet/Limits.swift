/// The bounds of this layer, each with its reason.
package enum Limits {
  /// Jobs run in this many rounds before the loop looks at its sockets again: jobs that beget jobs must not
  /// keep it from them.
  static let roundsPerTurn = 8

  /// A stream whose data is always there lets the others run after this many frames.
  static let fillsWithoutYield = 64

  /// What a stream buffers of its input unless told otherwise: four of the largest frames (64 KiB).
  package static let inputCapacity = 256 << 10

  /// Corked output is sent at this size without waiting for a flush.
  static let flushThreshold = 128 << 10

  /// `drain` lets a sender go on once its backlog is no more than this: enough to keep a fast link busy.
  package static let lowWater = 128 << 10

  /// A peer that leaves this much unread is cut off: it has stopped reading, and memory is not its to take.
  package static let backlog = 4 << 20

  /// A single write is no larger, so that it fits a buffer together with the backlog.
  package static let writeSize = 8 << 20

  /// The smallest and largest buffer; sizes between grow by fours.
  static let smallestBlock = 4 << 10
  static let largestBlock = 16 << 20

  /// Idle buffers kept for the next stream, of all sizes together.
  static let pooledBytes = 4 << 20

  /// How long a closed stream may take to send its rest and see the peer's end, and how much of what the peer
  /// still sends is thrown away meanwhile.
  static let lingerMilliseconds = 3_000
  static let lingerBytes = 1 << 20

  /// Connections accepted ahead of `accept`; the kernel's queue holds the others.
  static let acceptedAhead = 64

  /// How long a listener waits after the system ran out of descriptors or memory.
  static let acceptPauseMilliseconds = 100

  /// A host name is at most 253 characters (RFC 1035 §3.1).
  static let hostNameLength = 253

  /// Each address of a host gets at least this share of the time to connect.
  static let connectShareMilliseconds = 250
}
