internal import CSodium

/// A hash function that takes its input in parts.
package protocol HashFunction: ~Copyable {
  /// The name that Noise protocol names use (`SHA256`, `SHA512`, `BLAKE2b`).
  static var name: String { get }
  /// HASHLEN: the length of the digest in bytes.
  static var digestLength: Int { get }
  /// BLOCKLEN: the length of the block that HMAC pads to.
  static var blockLength: Int { get }
  init()
  mutating func update(_ bytes: RawSpan)
  /// Writes the digest into the first `digestLength` bytes of `digest`. The state is wiped with its owner.
  consuming func finalize(into digest: inout MutableRawSpan)
}

extension HashFunction where Self: ~Copyable {
  /// The digest of public bytes in one call.
  package static func hash(_ bytes: RawSpan) -> [UInt8] {
    var state = Self()
    state.update(bytes)
    return state.finalize()
  }

  /// The digest, as public bytes.
  package consuming func finalize() -> [UInt8] {
    var digest = SecretBytes(count: Self.digestLength)
    var span = digest.mutableBytes
    finalize(into: &span)
    return digest.bytes.array
  }

  /// Takes the bytes of an array in.
  package mutating func update(_ bytes: [UInt8]) { update(bytes.raw) }
}

/// SHA-256 (FIPS 180-4).
package struct SHA256: HashFunction, ~Copyable {
  package static let name = "SHA256"
  package static let digestLength = 32
  package static let blockLength = 64

  private let state = HashState(size: crypto_hash_sha256_statebytes())

  package init() {
    unsafe crypto_hash_sha256_init(state.pointer.assumingMemoryBound(to: crypto_hash_sha256_state.self))
  }

  package mutating func update(_ bytes: RawSpan) {
    unsafe withPointer(bytes) { bytes, count in
      guard count > 0 else { return }
      _ = unsafe crypto_hash_sha256_update(
        state.pointer.assumingMemoryBound(to: crypto_hash_sha256_state.self), bytes, UInt64(count))
    }
  }

  package consuming func finalize(into digest: inout MutableRawSpan) {
    precondition(digest.byteCount >= Self.digestLength)
    unsafe withPointer(&digest) { digest, _ in
      _ = unsafe crypto_hash_sha256_final(
        state.pointer.assumingMemoryBound(to: crypto_hash_sha256_state.self), digest)
    }
  }
}

/// SHA-512 (FIPS 180-4).
package struct SHA512: HashFunction, ~Copyable {
  package static let name = "SHA512"
  package static let digestLength = 64
  package static let blockLength = 128

  private let state = HashState(size: crypto_hash_sha512_statebytes())

  package init() {
    unsafe crypto_hash_sha512_init(state.pointer.assumingMemoryBound(to: crypto_hash_sha512_state.self))
  }

  package mutating func update(_ bytes: RawSpan) {
    unsafe withPointer(bytes) { bytes, count in
      guard count > 0 else { return }
      _ = unsafe crypto_hash_sha512_update(
        state.pointer.assumingMemoryBound(to: crypto_hash_sha512_state.self), bytes, UInt64(count))
    }
  }

  package consuming func finalize(into digest: inout MutableRawSpan) {
    precondition(digest.byteCount >= Self.digestLength)
    unsafe withPointer(&digest) { digest, _ in
      _ = unsafe crypto_hash_sha512_final(
        state.pointer.assumingMemoryBound(to: crypto_hash_sha512_state.self), digest)
    }
  }
}

/// BLAKE2b (RFC 7693) without a key: 64 bytes, as Noise uses it, or 32 for identifiers.
package struct BLAKE2b: HashFunction, ~Copyable {
  package static let name = "BLAKE2b"
  package static let digestLength = 64
  package static let blockLength = 128

  private let state = HashState(size: crypto_generichash_statebytes())
  private let length: Int

  package init() { self.init(length: Self.digestLength) }

  private init(length: Int) {
    self.length = length
    unsafe crypto_generichash_init(OpaquePointer(state.pointer), nil, 0, length)
  }

  package mutating func update(_ bytes: RawSpan) {
    unsafe withPointer(bytes) { bytes, count in
      guard count > 0 else { return }
      _ = unsafe crypto_generichash_update(OpaquePointer(state.pointer), bytes, UInt64(count))
    }
  }

  package consuming func finalize(into digest: inout MutableRawSpan) {
    precondition(digest.byteCount >= length)
    let length = length
    unsafe withPointer(&digest) { digest, _ in
      _ = unsafe crypto_generichash_final(
        OpaquePointer(state.pointer), digest, length)
    }
  }

  /// The 32-byte digest of public bytes: what secchat identifies lists and files by.
  package static func hash256(_ bytes: RawSpan) -> FixedBytes<32> {
    var state = BLAKE2b(length: 32)
    state.update(bytes)
    return state.digest256()
  }

  /// A hasher with a 32-byte digest, for input that comes in parts.
  package static func hasher256() -> BLAKE2b { BLAKE2b(length: 32) }

  /// The 32-byte digest of a hasher made by `hasher256`.
  package consuming func digest256() -> FixedBytes<32> {
    precondition(length == 32)
    var digest = SecretBytes(count: 32)
    var span = digest.mutableBytes
    finalize(into: &span)
    return FixedBytes { bytes in bytes.copy(from: digest.bytes) }
  }
}

/// The memory of a hash state: aligned to 64 bytes as BLAKE2b wants it, wiped when released, because HMAC keys pass
/// through it.
@safe struct HashState: ~Copyable {
  @unsafe let pointer: UnsafeMutableRawPointer
  private let size: Int

  init(size: Int) {
    _ = Sodium.ready
    self.size = size
    unsafe pointer = .allocate(byteCount: size, alignment: 64)
  }

  deinit {
    unsafe sodium_memzero(pointer, size)
    unsafe pointer.deallocate()
  }
}
