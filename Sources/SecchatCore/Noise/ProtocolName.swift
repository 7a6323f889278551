/// A full protocol name (section 8): `Noise_XKpsk3_25519_ChaChaPoly_SHA256`.
package struct ProtocolName: Hashable, Sendable {
  /// The hash functions a state can be made with.
  package enum HashName: String, Sendable, CaseIterable {
    case sha256 = "SHA256"
    case sha512 = "SHA512"
    case blake2b = "BLAKE2b"
  }

  /// The pattern with its modifiers.
  package let pattern: HandshakePattern
  /// The hash function.
  package let hash: HashName

  package init(pattern: HandshakePattern, hash: HashName) {
    self.pattern = pattern
    self.hash = hash
  }

  /// Parses `Noise_PATTERN_25519_ChaChaPoly_HASH`.
  ///
  /// - Throws: `malformedProtocolName`, or the `unsupported…` that names the part.
  package init(_ text: String) throws(NoiseError) {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard text.utf8.count <= NoiseLimits.protocolNameLength, parts.count == 5, parts[0] == "Noise" else {
      throw .malformedProtocolName
    }
    guard parts[2] == "25519" else { throw .unsupportedKeyAgreement }
    guard parts[3] == "ChaChaPoly" else { throw .unsupportedCipher }
    guard let hash = HashName(rawValue: String(parts[4])) else { throw .unsupportedHash }
    self.init(pattern: try HandshakePattern(name: parts[1]), hash: hash)
  }

  /// The name as it is hashed.
  package var text: String { Self.text(pattern: pattern, hash: hash.rawValue) }

  static func text(pattern: HandshakePattern, hash: String) -> String {
    "Noise_\(pattern.name)_25519_ChaChaPoly_\(hash)"
  }
}
