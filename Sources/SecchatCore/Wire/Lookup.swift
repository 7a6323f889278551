internal import SecchatCrypto

/// LOOKUP asks for one user's keys and address.
///
///     0  request  u32
///     4  name     u8 length, 3-32 bytes
package struct Lookup: WireMessage, Numbered {
  package static let type = FrameType.lookup
  package var request: UInt32
  package var name: UserName

  package init(request: UInt32, name: UserName) {
    self.request = request
    self.name = name
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    name = try UserName(from: &body)
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    name.encode(into: &writer)
  }
}

/// FOUND answers LOOKUP. What it says of keys is a claim until the list's signature, the pin and the name are checked.
///
///     0  request  u32
///     4  address  u8: 0 (offline), or 1 and family, address, port
///     .  list     u16 length, a signed device list
package struct Found: WireMessage, Numbered {
  package static let type = FrameType.found
  package var request: UInt32
  package var address: NetworkAddress?
  package var list: [UInt8]

  package init(request: UInt32, address: NetworkAddress?, list: [UInt8]) {
    self.request = request
    self.address = address
    self.list = list
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    address = try NetworkAddress.optional(from: &body)
    list = try body.vector16(limit: SignedDeviceList.maximumLength).array
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    NetworkAddress.encode(address, into: &writer)
    writer.vector16(list)
  }
}
