internal import CSodium

/// What an X25519 key is for. A key of one purpose does not type-check where another is wanted.
package protocol AgreementPurpose {}
/// Noise static keys: links between machines.
package enum LinkPurpose: AgreementPurpose {}
/// Noise ephemeral keys.
package enum EphemeralPurpose: AgreementPurpose {}
/// X3DH identity keys: messages between people.
package enum MessagingPurpose: AgreementPurpose {}
/// X3DH signed prekeys, which are also the responder's first ratchet keys.
package enum SignedPrekeyPurpose: AgreementPurpose {}
/// X3DH one-time prekeys.
package enum OneTimePrekeyPurpose: AgreementPurpose {}
/// X3DH ephemeral keys, one for each session.
package enum InitiationPurpose: AgreementPurpose {}
/// Double Ratchet keys.
package enum RatchetPurpose: AgreementPurpose {}

/// An X25519 public key (RFC 7748), 32 bytes.
package struct AgreementPublicKey<Purpose: AgreementPurpose>: Hashable, Sendable {
  /// The key's u-coordinate as it travels.
  package let raw: FixedBytes<32>

  /// Any 32 bytes are a key; a degenerate one is found out by `sharedSecret`.
  package init(_ raw: FixedBytes<32>) { self.raw = raw }
}

/// An X25519 private key (RFC 7748).
package struct AgreementPrivateKey<Purpose: AgreementPurpose>: ~Copyable, Sendable {
  private let secret: SecretBytes
  /// The public half.
  package let publicKey: AgreementPublicKey<Purpose>

  /// Takes 32 secret bytes over; they are clamped at use.
  package init(_ secret: consuming SecretBytes) throws(CryptoError) {
    guard secret.count == 32 else { throw .wrongLength }
    _ = Sodium.ready
    let raw = FixedBytes<32> { target in
      unsafe withPointer(&target) { target, _ in
        unsafe withPointer(secret.bytes) { secret, _ in
          // Never fails: the clamped scalar times the base point is no small-order point.
          _ = unsafe crypto_scalarmult_base(target, secret)
        }
      }
    }
    self.secret = secret
    publicKey = AgreementPublicKey(raw)
  }

  /// A new key from the random source.
  package static func random(in home: SecretBytes.Home = .heap) throws(CryptoError) -> Self {
    try Self(.random(count: 32, in: home))
  }

  /// The X25519 shared secret, 32 bytes. An all-zero result is refused (RFC 7748 section 6.1).
  ///
  /// - Throws: `authenticationFailed` for a public key of small order.
  package borrowing func sharedSecret<Other>(
    with other: AgreementPublicKey<Other>
  ) throws(CryptoError) -> SecretBytes {
    try SecretBytes(
      count: 32,
      tryInitializedBy: { (target: inout MutableRawSpan) throws(CryptoError) in
        let status = unsafe withPointer(&target) { target, _ in
          unsafe withPointer(secret.bytes) { secret, _ in
            unsafe withPointer(other.raw.bytes) { other, _ in
              unsafe crypto_scalarmult(target, secret, other)
            }
          }
        }
        guard status == 0 else { throw .authenticationFailed }
      })
  }

  /// Another owner of the same key, for another purpose: X3DH's signed prekey is the first ratchet key too.
  package borrowing func duplicate<Other>(
    for _: Other.Type = Other.self
  ) -> AgreementPrivateKey<Other> {
    AgreementPrivateKey<Other>(secret.duplicate(), AgreementPublicKey(publicKey.raw))
  }

  private init(_ secret: consuming SecretBytes, _ publicKey: AgreementPublicKey<Purpose>) {
    self.secret = secret
    self.publicKey = publicKey
  }

  /// Writes the raw key into a buffer that is about to be sealed.
  package borrowing func export(into target: inout MutableRawSpan, at offset: Int) {
    target.copy(from: secret.bytes, at: offset)
  }
}
