package import SecchatCrypto

/// Reads the binary form (big-endian integers, length-prefixed vectors: RFC 8446 section 3) from borrowed bytes.
/// Nothing is allocated before its length has been checked.
package struct WireReader: ~Escapable {
  private var rest: RawSpan

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan) { rest = bytes }

  /// How many bytes are left.
  package var remaining: Int { rest.byteCount }

  /// The next `count` bytes, borrowed.
  @_lifetime(copy self)
  package mutating func take(_ count: Int) throws(WireError) -> RawSpan {
    guard count <= rest.byteCount else { throw .truncated }
    let taken = rest.extracting(0..<count)
    rest = rest.extracting(count..<rest.byteCount)
    return taken
  }

  /// All that is left, borrowed.
  @_lifetime(copy self)
  package mutating func takeRest() -> RawSpan {
    let taken = rest
    rest = rest.extracting(rest.byteCount..<rest.byteCount)
    return taken
  }

  private mutating func integer<Integer: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _: Integer.Type
  ) throws(WireError) -> Integer {
    let bytes = try take(Integer.bitWidth / 8)
    return Integer(bigEndian: unsafe bytes.unsafeLoadUnaligned(as: Integer.self))
  }

  package mutating func u8() throws(WireError) -> UInt8 { try integer(UInt8.self) }
  package mutating func u16() throws(WireError) -> UInt16 { try integer(UInt16.self) }
  package mutating func u32() throws(WireError) -> UInt32 { try integer(UInt32.self) }
  package mutating func u64() throws(WireError) -> UInt64 { try integer(UInt64.self) }

  /// A byte that is 0 or 1.
  package mutating func flag() throws(WireError) -> Bool {
    switch try u8() {
    case 0: return false
    case 1: return true
    default: throw .malformed
    }
  }

  /// `length` bytes, copied.
  package mutating func fixed<let length: Int>(
    _: FixedBytes<length>.Type = FixedBytes<length>.self
  ) throws(WireError) -> FixedBytes<length> {
    let bytes = try take(length)
    return FixedBytes { target in target.copy(from: bytes) }
  }

  /// A vector with a one-byte length, borrowed.
  @_lifetime(copy self)
  package mutating func vector8() throws(WireError) -> RawSpan { try take(Int(u8())) }

  /// A vector with a two-byte length of at most `limit`, borrowed.
  @_lifetime(copy self)
  package mutating func vector16(limit: Int) throws(WireError) -> RawSpan {
    let length = Int(try u16())
    guard length <= limit else { throw .tooLong }
    return try take(length)
  }

  /// UTF-8 text with a two-byte length of at most `limit` bytes; anything but well-formed UTF-8 is refused.
  package mutating func text16(limit: Int) throws(WireError) -> String {
    try Self.text(vector16(limit: limit))
  }

  /// Well-formed UTF-8 as text.
  package static func text(_ bytes: RawSpan) throws(WireError) -> String {
    guard let text = String(validating: bytes.array, as: UTF8.self) else { throw .malformed }
    return text
  }

  /// Refuses bytes after the end.
  package func end() throws(WireError) {
    guard rest.byteCount == 0 else { throw .trailing }
  }
}
