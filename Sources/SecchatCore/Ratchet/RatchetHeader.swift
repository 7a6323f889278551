package import SecchatCrypto

package typealias RatchetPublicKey = AgreementPublicKey<RatchetPurpose>

/// A message's place in the Double Ratchet.
///
///     0   key       32 bytes, X25519: the sender's ratchet key
///     32  previous  u32: messages in the sender's chain before (PN)
///     36  number    u32: of this message in its chain, from 0 (N)
package struct RatchetHeader: Hashable, Sendable {
  package let key: RatchetPublicKey
  package let previous: UInt32
  package let number: UInt32

  package init(key: RatchetPublicKey, previous: UInt32, number: UInt32) {
    self.key = key
    self.previous = previous
    self.number = number
  }

  package init(from reader: inout WireReader) throws(WireError) {
    key = RatchetPublicKey(try reader.fixed())
    previous = try reader.u32()
    number = try reader.u32()
  }

  package func encode(into writer: inout WireWriter) {
    writer.fixed(key.raw)
    writer.u32(previous)
    writer.u32(number)
  }
}

/// A ratchet key pair. Immutable, so that states can share it.
package final class RatchetKeyPair: Sendable {
  package let privateKey: AgreementPrivateKey<RatchetPurpose>

  package init(_ privateKey: consuming AgreementPrivateKey<RatchetPurpose>) { self.privateKey = privateKey }

  /// A new pair from the random source.
  package static func random() -> RatchetKeyPair {
    do throws(CryptoError) { return RatchetKeyPair(try .random()) } catch {
      preconditionFailure("the length is a constant")
    }
  }

  package var publicKey: RatchetPublicKey { privateKey.publicKey }
}
