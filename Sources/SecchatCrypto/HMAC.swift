/// HMAC (RFC 2104) over any of the hash functions. libsodium has it for SHA-2 only; Noise needs BLAKE2b too.
package struct HMAC<Hash: HashFunction & ~Copyable>: ~Copyable {
  private var inner: Hash
  private var outer: Hash

  /// Starts with a key of any length; one longer than a block is hashed first.
  package init(key: RawSpan) {
    var padded = SecretBytes(count: Hash.blockLength) { (block: inout MutableRawSpan) in
      if key.byteCount > Hash.blockLength {
        var state = Hash()
        state.update(key)
        state.finalize(into: &block)
      } else {
        block.copy(from: key)
      }
    }
    Self.xor(&padded, 0x36)
    inner = Hash()
    inner.update(padded.bytes)
    Self.xor(&padded, 0x36 ^ 0x5c)
    outer = Hash()
    outer.update(padded.bytes)
  }

  private static func xor(_ secret: inout SecretBytes, _ value: UInt8) {
    var span = secret.mutableBytes
    for i in 0..<span.byteCount {
      let byte = unsafe span.unsafeLoad(fromByteOffset: i, as: UInt8.self)
      span.storeBytes(of: byte ^ value, toByteOffset: i, as: UInt8.self)
    }
  }

  /// Takes more of the message in.
  package mutating func update(_ bytes: RawSpan) { inner.update(bytes) }

  /// The tag, `Hash.digestLength` bytes.
  package consuming func finalize() -> SecretBytes {
    var tag = SecretBytes(count: Hash.digestLength)
    var span = tag.mutableBytes
    inner.finalize(into: &span)
    outer.update(tag.bytes)
    span = tag.mutableBytes
    outer.finalize(into: &span)
    return tag
  }

  /// The tag of one message.
  package static func authenticate(_ message: RawSpan, key: RawSpan) -> SecretBytes {
    var hmac = HMAC(key: key)
    hmac.update(message)
    return hmac.finalize()
  }
}
