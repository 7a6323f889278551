package import SecchatCrypto

/// REGISTER claims a name for an identity key.
///
///     0   request    u32
///     4   list       u16 length, a signed device list; it names the account
///     .   signature  64 bytes: the identity key over `Register.statement`
package struct Register: WireMessage, Numbered {
  package static let type = FrameType.register
  package var request: UInt32
  /// The signed device list, encoded.
  package var list: [UInt8]
  package var signature: SignatureBytes

  package init(request: UInt32, list: [UInt8], signature: SignatureBytes) {
    self.request = request
    self.list = list
    self.signature = signature
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    list = try body.vector16(limit: SignedDeviceList.maximumLength).array
    signature = try body.fixed()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.vector16(list)
    writer.fixed(signature)
  }

  /// What the identity key signs under `Labels.register`: it binds the claim to this one link, so that nobody can
  /// register another's keys.
  ///
  ///     0   handshake hash  32 bytes
  ///     32  account         32 bytes registry key, u8 length, name
  ///     .   list            u16 length, the signed device list
  package static func statement(handshakeHash: [UInt8], account: Account, list: [UInt8]) -> [UInt8] {
    var writer = WireWriter(capacity: 512)
    writer.raw(handshakeHash)
    account.encode(into: &writer)
    writer.vector16(list)
    return writer.bytes
  }
}

/// REGISTERED: the name is this identity key's.
///
///     0  request  u32
///     4  already  u8: 1 where it was so before
package struct Registered: WireMessage, Numbered {
  package static let type = FrameType.registered
  package var request: UInt32
  package var already: Bool

  package init(request: UInt32, already: Bool) {
    self.request = request
    self.already = already
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    already = try body.flag()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.flag(already)
  }
}
