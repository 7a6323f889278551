package import SecchatCrypto

/// What the Double Ratchet leaves to the application (its specification, section 7.2): the name of the root KDF and the
/// AEAD of messages. The chains' KDF is HMAC-SHA256 in every suite.
package protocol RatchetSuite: Sendable {
  /// `info` of the root KDF.
  static var rootInfo: [UInt8] { get }

  /// ENCRYPT: seals under a key that is used for this one message.
  static func seal(_ plaintext: RawSpan, with key: consuming MessageKey, authenticating data: RawSpan)
    -> [UInt8]

  /// DECRYPT.
  ///
  /// - Throws: `authenticationFailed`.
  static func open(
    _ sealed: RawSpan, with key: borrowing MessageKey, authenticating data: RawSpan
  ) throws(CryptoError) -> SecretBytes
}

/// The suite of secchat's messages: XChaCha20-Poly1305 under a random nonce, which stands before the ciphertext.
///
/// A key seals one message, so that any nonce would do, were it not for copies of a profile: of one that was restored the
/// next key is one that has been used. Two messages under it then still have two nonces.
package enum MessageSuite: RatchetSuite {
  package static let rootInfo = Labels.prefix(Labels.ratchetRoot)

  package static func seal(
    _ plaintext: RawSpan, with key: consuming MessageKey, authenticating data: RawSpan
  ) -> [UInt8] {
    key.take().sealWithRandomNonce(plaintext, authenticating: data)
  }

  package static func open(
    _ sealed: RawSpan, with key: borrowing MessageKey, authenticating data: RawSpan
  ) throws(CryptoError) -> SecretBytes {
    try key.duplicate().openWithNonce(sealed, authenticating: data)
  }
}
