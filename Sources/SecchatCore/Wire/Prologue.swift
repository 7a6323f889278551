/// What both ends of a handshake must agree on before it: hashed into it, never sent. No address is in it, so that a
/// relayed link is the same link.
///
///     u16 length  "secchat"
///     u8          protocol version, 1
///     u16 length  purpose: "registry" or "peer"
///     u16 length  responder's name; empty for a registry
///     u32         responder's device; 0 for a registry
package enum Prologue {
  package static let version: UInt8 = 1

  /// A client's link to its registry.
  package static let registry = bytes(purpose: "registry", name: [], device: 0)

  /// A link to a device of a peer.
  package static func peer(_ account: Account, device: UInt32) -> [UInt8] {
    bytes(purpose: "peer", name: account.encoded, device: device)
  }

  private static func bytes(purpose: String, name: [UInt8], device: UInt32) -> [UInt8] {
    var writer = WireWriter()
    writer.text16("secchat")
    writer.u8(version)
    writer.text16(purpose)
    writer.vector16(name)
    writer.u32(device)
    return writer.bytes
  }
}
