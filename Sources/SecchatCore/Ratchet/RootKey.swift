package import SecchatCrypto

/// RK: the key of the root chain. Immutable, so that states can share it.
package final class RootKey: Sendable {
  static let length = 32

  private let secret: SecretBytes

  /// Takes 32 secret bytes over: SK of X3DH.
  package init(_ secret: consuming SecretBytes) {
    precondition(secret.count == Self.length, "a root key has 32 bytes")
    self.secret = secret
  }

  /// KDF_RK: HKDF-SHA256 of a Diffie-Hellman output, with this key as salt, gives the next root key and a chain key.
  func step(_ output: borrowing SecretBytes, info: [UInt8]) -> (root: RootKey, chain: ChainKey) {
    do {
      let keys = try secret.withBytes { (salt: RawSpan) throws(CryptoError) -> SecretBytes in
        try HKDF<SHA256>.derive(
          inputKeyMaterial: output.bytes, salt: salt, info: info.raw, count: Self.length + ChainKey.length)
      }
      return (
        RootKey(SecretBytes(copying: keys.bytes.extracting(first: Self.length))),
        ChainKey(SecretBytes(copying: keys.bytes.extracting(last: ChainKey.length)))
      )
    } catch { preconditionFailure("two keys are within HKDF's limit") }
  }

  /// The raw key, to compare with published vectors.
  package func bytesForTestingOnly() -> [UInt8] { secret.withBytes { $0.array } }

  /// The key of the first message after a step, to show in the protocol's examples.
  package func firstMessageKeyForTestingOnly(_ output: borrowing SecretBytes, info: [UInt8]) -> [UInt8] {
    step(output, info: info).chain.messageKey.bytesForTestingOnly()
  }

  func export(into target: inout SecretWriter) { secret.withBytes { target.raw($0) } }
}
