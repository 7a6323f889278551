internal import SecchatCrypto

/// CK: the key of a sending or a receiving chain. Immutable, so that states can share it.
package final class ChainKey: Sendable {
  static let length = 32

  private let secret: SecretBytes

  init(_ secret: consuming SecretBytes) {
    precondition(secret.count == Self.length, "a chain key has 32 bytes")
    self.secret = secret
  }

  /// The next key of the chain: HMAC-SHA256 of the byte 02.
  var next: ChainKey { ChainKey(derive(0x02)) }

  /// The key of the message at this place of the chain: HMAC-SHA256 of the byte 01.
  var messageKey: MessageKey { MessageKey(derive(0x01)) }

  private func derive(_ constant: UInt8) -> SecretBytes {
    secret.withBytes { key in HMAC<SHA256>.authenticate([constant].raw, key: key) }
  }

  func export(into target: inout SecretWriter) { secret.withBytes { target.raw($0) } }
}
