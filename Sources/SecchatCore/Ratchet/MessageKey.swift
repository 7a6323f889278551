package import SecchatCrypto

/// MK: the key of one message. Sealing consumes it.
package struct MessageKey: ~Copyable, Sendable {
  static let length = 32

  private let secret: SecretBytes

  init(_ secret: consuming SecretBytes) {
    precondition(secret.count == Self.length, "a message key has 32 bytes")
    self.secret = secret
  }

  /// The key for its one seal.
  package consuming func take<Cipher: AEADCipher>(for _: Cipher.Type = Cipher.self) -> AEADKey<Cipher> {
    duplicate()
  }

  /// The key for an attempt to open; one that fails must not use it up.
  package borrowing func duplicate<Cipher: AEADCipher>(for _: Cipher.Type = Cipher.self) -> AEADKey<Cipher> {
    do throws(CryptoError) { return try AEADKey(secret.duplicate()) } catch {
      preconditionFailure("the length is a constant")
    }
  }

  borrowing func export(into target: inout SecretWriter) { target.raw(secret.bytes) }

  borrowing func bytesForTestingOnly() -> [UInt8] { secret.bytes.array }
}
