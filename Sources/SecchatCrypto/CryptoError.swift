/// Why a cryptographic step was refused. Deliberately without detail: what failed inside is nobody's business.
package enum CryptoError: Error, Equatable, Sendable {
  /// A tag, a signature or a shared secret did not hold.
  case authenticationFailed
  /// A key, nonce or other input had the wrong length.
  case wrongLength
  /// The machine could not provide the memory that was asked for.
  case outOfMemory
}
