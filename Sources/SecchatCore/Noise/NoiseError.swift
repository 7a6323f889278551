/// Why a step of the Noise protocol was refused. It says which rule was broken and nothing of what the bytes were.
package enum NoiseError: Error, Equatable, Sendable {
  /// A protocol name that is not `Noise_PATTERN_DH_CIPHER_HASH`.
  case malformedProtocolName
  /// A handshake pattern that is not in the table.
  case unsupportedPattern
  /// A modifier other than `psk0` and up to the number of messages, or the same one twice.
  case unsupportedModifier
  /// A Diffie-Hellman function other than 25519.
  case unsupportedKeyAgreement
  /// A cipher other than ChaChaPoly.
  case unsupportedCipher
  /// A hash function other than SHA256, SHA512 and BLAKE2b, or another than the state's own.
  case unsupportedHash
  /// The pattern needs a key pair, a public key or a pre-shared key that was not given, or has no use for one that was.
  case wrongKeys
  /// A read where it was this side's turn to write, or the other way round.
  case outOfTurn
  /// A message that would exceed, or does exceed, 65,535 bytes.
  case messageTooLong
  /// A message that ends before its last token or tag.
  case messageTooShort
  /// A tag did not verify, or the other side's public key gives an all-zero shared secret.
  case authenticationFailed
  /// The direction has used up its nonces; 2^64 - 1 itself is reserved for rekeying.
  case nonceExhausted
}

/// What Noise revision 34 fixes.
package enum NoiseLimits {
  /// The largest Noise message in bytes, handshake or transport (section 3).
  package static let messageLength = Limits.noiseMessage
  /// The largest protocol name in bytes (section 8).
  static let protocolNameLength = 255
  /// DHLEN for 25519.
  static let publicKeyLength = 32
  /// The length of the keys of ciphers, and of pre-shared keys.
  static let keyLength = 32
}
