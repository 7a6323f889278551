internal import SecchatCrypto

/// Public keys as text: an unmistakable prefix, then 56 characters of base32 for the 32 bytes of the key and 3 of
/// checksum (BLAKE2b over label, prefix and key), so that a mistyped key is told from a strange one.
package enum KeyText {
  package static let identityPrefix = "secchat-pub-1"
  package static let registryPrefix = "secchat-registry-1"

  package static func encode(_ key: IdentityPublicKey) -> String { encode(key.raw, identityPrefix) }
  package static func encode(registry key: LinkPublicKey) -> String { encode(key.raw, registryPrefix) }

  package static func identity(_ text: some StringProtocol) -> IdentityPublicKey? {
    decode(text, identityPrefix).map { IdentityPublicKey($0) }
  }

  package static func registry(_ text: some StringProtocol) -> LinkPublicKey? {
    decode(text, registryPrefix).map { LinkPublicKey($0) }
  }

  private static func encode(_ key: FixedBytes<32>, _ prefix: String) -> String {
    prefix + Base32.encode(key.array + checksum(key, prefix))
  }

  private static func decode(_ text: some StringProtocol, _ prefix: String) -> FixedBytes<32>? {
    guard text.hasPrefix(prefix), let bytes = Base32.decode(text.dropFirst(prefix.count)), bytes.count == 35,
      let key = FixedBytes<32>(Array(bytes[..<32])), Array(bytes[32...]) == checksum(key, prefix)
    else { return nil }
    return key
  }

  private static func checksum(_ key: FixedBytes<32>, _ prefix: String) -> [UInt8] {
    let input = Labels.prefix(Labels.keyText) + Array(prefix.utf8) + key.array
    return Array(BLAKE2b.hash256(input.raw).array[..<3])
  }
}
