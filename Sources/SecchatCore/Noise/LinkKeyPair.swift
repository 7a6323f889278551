package import SecchatCrypto

/// A device's static key pair for links. Shared, because several handshakes use the one key at the same time.
package final class LinkKeyPair: Sendable {
  /// The private half; it does not leave.
  package let privateKey: AgreementPrivateKey<LinkPurpose>

  package init(_ privateKey: consuming AgreementPrivateKey<LinkPurpose>) {
    self.privateKey = privateKey
  }

  /// A new pair from the random source.
  package static func random(in home: SecretBytes.Home = .heap) throws(CryptoError) -> LinkKeyPair {
    LinkKeyPair(try .random(in: home))
  }

  /// The public half.
  package var publicKey: AgreementPublicKey<LinkPurpose> { privateKey.publicKey }
}

/// A 32-byte pre-shared key (section 9). Shared for the same reason.
package final class PresharedKey: Sendable {
  let secret: SecretBytes

  /// Takes 32 secret bytes over.
  package init(_ secret: consuming SecretBytes) throws(CryptoError) {
    guard secret.count == NoiseLimits.keyLength else { throw .wrongLength }
    self.secret = secret
  }
}
