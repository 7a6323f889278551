/// Public bytes of a length the type knows: keys, ids, hashes, signatures. Never a secret (secrets are `SecretBytes`).
package struct FixedBytes<let length: Int>: Sendable {
  private var storage: InlineArray<length, UInt8>

  /// All zero bytes.
  package init() { storage = InlineArray(repeating: 0) }

  /// Copies `bytes`, which must be exactly `length` bytes; nil otherwise.
  package init?(_ bytes: RawSpan) {
    guard bytes.byteCount == length else { return nil }
    self.init()
    var span = storage.mutableSpan
    var target = unsafe span.mutableBytes
    target.copy(from: bytes)
  }

  /// Copies `bytes`, which must be exactly `length` bytes; nil otherwise.
  package init?(_ bytes: [UInt8]) { self.init(bytes.raw) }

  /// The bytes, borrowed.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get { unsafe storage.span.bytes }
  }

  /// Bytes that `fill` writes; all zero until then.
  package init<Failure: Error>(
    filledBy fill: (inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    self.init()
    var span = storage.mutableSpan
    var bytes = unsafe span.mutableBytes
    try fill(&bytes)
  }

  /// The bytes, copied.
  package var array: [UInt8] { bytes.array }
}

extension FixedBytes: Hashable {
  /// Byte-wise, in variable time: these are public values.
  package static func == (left: Self, right: Self) -> Bool {
    for i in 0..<length where left.storage[i] != right.storage[i] { return false }
    return true
  }

  package func hash(into hasher: inout Hasher) {
    unsafe storage.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}

extension FixedBytes: Comparable {
  /// Lexicographic, as memcmp.
  package static func < (left: Self, right: Self) -> Bool {
    for i in 0..<length where left.storage[i] != right.storage[i] {
      return left.storage[i] < right.storage[i]
    }
    return false
  }
}

extension FixedBytes: CustomStringConvertible {
  /// Lower-case hexadecimal.
  package var description: String { Hex.encode(array) }
}
