internal import CSodium

/// What an Ed25519 key signs.
package protocol SigningPurpose {}
/// The identity: device lists and registration. What a fingerprint is of.
package enum IdentityPurpose: SigningPurpose {}
/// One device: it vouches for the next device list.
package enum DevicePurpose: SigningPurpose {}

/// An Ed25519 signature (RFC 8032), 64 bytes. Not unique for a message: never an identifier.
package typealias SignatureBytes = FixedBytes<64>

/// An Ed25519 public key (RFC 8032), 32 bytes.
package struct SigningPublicKey<Purpose: SigningPurpose>: Hashable, Sendable {
  /// The key as it travels.
  package let raw: FixedBytes<32>

  /// Any 32 bytes; one that is no point verifies nothing.
  package init(_ raw: FixedBytes<32>) { self.raw = raw }

  /// Whether `signature` is this key's over `label || 0x00 || message`.
  package func verifies(_ signature: SignatureBytes, label: SignatureLabel, message: RawSpan) -> Bool {
    let input = label.input(message)
    return verifiesBare(signature, message: input.raw)
  }

  /// Verification without a label, for published vectors.
  package func verifiesBare(_ signature: SignatureBytes, message: RawSpan) -> Bool {
    _ = Sodium.ready
    return unsafe withPointer(signature.bytes) { signature, _ in
      unsafe withPointer(message) { message, count in
        unsafe withPointer(raw.bytes) { key, _ in
          unsafe crypto_sign_verify_detached(signature, message, UInt64(count), key) == 0
        }
      }
    }
  }
}

/// An Ed25519 private key, kept as its 32-byte seed and libsodium's 64-byte form.
package struct SigningPrivateKey<Purpose: SigningPurpose>: ~Copyable, Sendable {
  private let expanded: SecretBytes
  /// The public half.
  package let publicKey: SigningPublicKey<Purpose>

  /// The key of a 32-byte seed (RFC 8032 section 5.1.5).
  package init(seed: consuming SecretBytes, in home: SecretBytes.Home = .heap) throws(CryptoError) {
    guard seed.count == 32 else { throw .wrongLength }
    _ = Sodium.ready
    var expanded = SecretBytes(count: 64, in: home)
    var target = expanded.mutableBytes
    let raw = FixedBytes<32> { raw in
      unsafe withPointer(&target) { target, _ in
        unsafe withPointer(&raw) { raw, _ in
          unsafe withPointer(seed.bytes) { seed, _ in
            _ = unsafe crypto_sign_seed_keypair(raw, target, seed)
          }
        }
      }
    }
    self.expanded = expanded
    publicKey = SigningPublicKey(raw)
  }

  /// A new key from the random source.
  package static func random(in home: SecretBytes.Home = .heap) throws(CryptoError) -> Self {
    try Self(seed: .random(count: 32), in: home)
  }

  /// The signature over `label || 0x00 || message`.
  package borrowing func sign(label: SignatureLabel, message: RawSpan) -> SignatureBytes {
    let input = label.input(message)
    return signBare(input.raw)
  }

  /// A signature without a label, for published vectors.
  package borrowing func signBare(_ message: RawSpan) -> SignatureBytes {
    SignatureBytes { signature in
      unsafe withPointer(&signature) { signature, _ in
        unsafe withPointer(message) { message, count in
          unsafe withPointer(expanded.bytes) { key, _ in
            _ = unsafe crypto_sign_detached(signature, nil, message, UInt64(count), key)
          }
        }
      }
    }
  }

  /// Writes the 32-byte seed into a buffer that is about to be sealed.
  package borrowing func export(into target: inout MutableRawSpan, at offset: Int) {
    target.copy(from: expanded.bytes.extracting(0..<32), at: offset)
  }
}

/// Says what a signature is for; part of what is signed. Every label is listed in `docs/protocol.md`.
package struct SignatureLabel: Sendable {
  /// Printable ASCII.
  package let text: StaticString

  /// A label; the project defines each in one place.
  package init(_ text: StaticString) { self.text = text }

  func input(_ message: RawSpan) -> [UInt8] {
    var input = text.withUTF8Buffer { unsafe [UInt8]($0) }
    input.append(0)
    input.append(contentsOf: message.array)
    return input
  }
}
