internal import CSodium

/// Argon2id version 1.3 (RFC 9106), one lane.
package enum PasswordHash {
  /// What a hash costs.
  package struct Cost: Equatable, Sendable {
    /// Passes over the memory (t).
    package let passes: UInt32
    /// Memory in KiB (m).
    package let kibibytes: UInt32

    /// - Parameters:
    ///   - passes: 1 or more.
    ///   - kibibytes: 8 or more.
    package init(passes: UInt32, kibibytes: UInt32) {
      self.passes = passes
      self.kibibytes = kibibytes
    }

    /// For key files: 64 MiB, three passes (RFC 9106 section 4, second recommendation).
    package static let keyFile = Cost(passes: 3, kibibytes: 65_536)
  }

  /// 32 bytes derived from `passphrase` and a 16-byte salt. Takes a tenth of a second and more: never on the event loop.
  ///
  /// - Throws: `outOfMemory` where the memory cannot be had or the cost is out of libsodium's range.
  package static func derive(
    passphrase: RawSpan, salt: FixedBytes<16>, cost: Cost
  ) throws(CryptoError) -> SecretBytes {
    _ = Sodium.ready
    return try SecretBytes(
      count: 32,
      tryInitializedBy: { (target: inout MutableRawSpan) throws(CryptoError) in
        let status = unsafe withPointer(&target) { target, count in
          unsafe withPointer(passphrase) { passphrase, passphraseCount in
            unsafe withPointer(salt.bytes) { salt, _ in
              unsafe crypto_pwhash(
                target, UInt64(count), UnsafeRawPointer(passphrase).assumingMemoryBound(to: CChar.self),
                UInt64(passphraseCount), salt, UInt64(cost.passes),
                Int(cost.kibibytes) * 1024, crypto_pwhash_alg_argon2id13())
            }
          }
        }
        guard status == 0 else { throw .outOfMemory }
      })
  }
}
