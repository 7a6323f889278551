internal import SecchatCrypto

/// An IP address and a TCP port as they travel.
///
///     0  family   u8        4 or 6
///     1  address  4 or 16 bytes
///     .  port     u16
package struct NetworkAddress: Hashable, Sendable {
  /// 4 bytes (IPv4) or 16 (IPv6; never an IPv4-mapped one).
  package let bytes: [UInt8]
  package let port: UInt16

  /// - Returns: nil for an address that is neither 4 nor 16 bytes, or an IPv4 address in IPv6's clothes.
  package init?(bytes: [UInt8], port: UInt16) {
    guard bytes.count == 4 || bytes.count == 16, !Self.isMapped(bytes) else { return nil }
    self.bytes = bytes
    self.port = port
  }

  package init(from reader: inout WireReader) throws(WireError) {
    switch try reader.u8() {
    case 4: bytes = try reader.take(4).array
    case 6: bytes = try reader.take(16).array
    default: throw .malformed
    }
    guard !Self.isMapped(bytes) else { throw .malformed }
    port = try reader.u16()
  }

  /// `::ffff:0:0/96`: one address must not have two forms.
  private static func isMapped(_ bytes: [UInt8]) -> Bool {
    bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
  }

  package func encode(into writer: inout WireWriter) {
    writer.u8(bytes.count == 4 ? 4 : 6)
    writer.raw(bytes)
    writer.u16(port)
  }

  /// `flag`, then the address where the flag is 1.
  package static func optional(from reader: inout WireReader) throws(WireError) -> NetworkAddress? {
    try reader.flag() ? NetworkAddress(from: &reader) : nil
  }

  package static func encode(_ address: NetworkAddress?, into writer: inout WireWriter) {
    writer.flag(address != nil)
    address?.encode(into: &writer)
  }
}
