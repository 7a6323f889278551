package import SecchatCrypto

/// Writes the binary form that `WireReader` reads.
package struct WireWriter {
  package private(set) var bytes: [UInt8]

  package init(capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  private mutating func integer(_ value: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  package mutating func u8(_ value: UInt8) { bytes.append(value) }
  package mutating func u16(_ value: UInt16) { integer(value) }
  package mutating func u32(_ value: UInt32) { integer(value) }
  package mutating func u64(_ value: UInt64) { integer(value) }
  package mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }
  package mutating func fixed<let length: Int>(_ value: FixedBytes<length>) { raw(value.bytes) }
  package mutating func raw(_ value: RawSpan) {
    unsafe value.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }
  package mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  /// A vector with a one-byte length; the caller has kept to its limit.
  package mutating func vector8(_ value: [UInt8]) {
    precondition(value.count <= 0xff, "vector too long for its length")
    u8(UInt8(value.count))
    raw(value)
  }

  /// A vector with a two-byte length; the caller has kept to its limit.
  package mutating func vector16(_ value: [UInt8]) {
    precondition(value.count <= 0xffff, "vector too long for its length")
    u16(UInt16(value.count))
    raw(value)
  }

  /// Text as a vector with a two-byte length.
  package mutating func text16(_ value: String) { vector16(Array(value.utf8)) }

  /// Zero bytes.
  package mutating func zeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }
}
