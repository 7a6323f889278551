internal import SecchatCrypto

/// What people compare when a whole key is too long: 200 bits of BLAKE2b over a label and the key, as ten groups of four
/// characters of base32.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  private let bits: FixedBytes<25>

  package init(of key: IdentityPublicKey) { self.init(Labels.identityFingerprint, key.raw) }
  package init(ofRegistry key: LinkPublicKey) { self.init(Labels.registryFingerprint, key.raw) }

  private init(_ label: StaticString, _ key: FixedBytes<32>) {
    let hash = BLAKE2b.hash256((Labels.prefix(label) + key.array).raw)
    bits = FixedBytes { target in target.copy(from: hash.bytes.extracting(0..<25)) }
  }

  /// Reads what `description` writes; case, spaces and hyphens do not matter. Nil for anything else.
  package init?(_ text: some StringProtocol) {
    let letters = String(text.filter { $0 != " " && $0 != "-" })
    guard let bytes = Base32.decode(letters), let bits = FixedBytes<25>(bytes) else { return nil }
    self.bits = bits
  }

  package var description: String {
    let letters = Array(Base32.encode(bits.array))
    return stride(from: 0, to: letters.count, by: 4).map { String(letters[$0..<$0 + 4]) }
      .joined(separator: "-")
  }
}
