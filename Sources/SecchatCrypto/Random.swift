internal import CSodium

/// The system's random source (getrandom), through libsodium.
package enum Random {
  /// Overwrites the whole span.
  package static func fill(_ bytes: inout MutableRawSpan) {
    _ = Sodium.ready
    unsafe withPointer(&bytes) { start, count in unsafe randombytes_buf(start, count) }
  }

  /// Public random bytes: ids, salts, nonces.
  package static func bytes<let length: Int>(_: FixedBytes<length>.Type = FixedBytes<length>.self)
    -> FixedBytes<length>
  {
    FixedBytes { bytes in fill(&bytes) }
  }
}
