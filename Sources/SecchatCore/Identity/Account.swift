package import SecchatCrypto

package typealias LinkPublicKey = AgreementPublicKey<LinkPurpose>
package typealias MessagingPublicKey = AgreementPublicKey<MessagingPurpose>
package typealias IdentityPublicKey = SigningPublicKey<IdentityPurpose>
package typealias DeviceSigningKey = SigningPublicKey<DevicePurpose>

/// A name at a registry. The registry stands in it by its key, not by its address: two users may reach one registry
/// under different host names, and one host name may come to mean another registry.
///
///     0   registry  32 bytes, X25519
///     32  name      u8 length, 3-32 bytes
package struct Account: Hashable, Sendable {
  package let registry: LinkPublicKey
  package let name: UserName

  package init(name: UserName, registry: LinkPublicKey) {
    self.name = name
    self.registry = registry
  }

  package init(from reader: inout WireReader) throws(WireError) {
    registry = LinkPublicKey(try reader.fixed())
    name = try UserName(from: &reader)
  }

  package func encode(into writer: inout WireWriter) {
    writer.fixed(registry.raw)
    name.encode(into: &writer)
  }

  /// The encoded form.
  package var encoded: [UInt8] {
    var writer = WireWriter()
    encode(into: &writer)
    return writer.bytes
  }
}
