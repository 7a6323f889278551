/// HKDF (RFC 5869) over HMAC. libsodium 1.0.18 has none.
package enum HKDF<Hash: HashFunction & ~Copyable> {
  /// RFC 5869 section 2.2. An empty salt stands for `digestLength` zero bytes.
  package static func extract(salt: RawSpan, inputKeyMaterial: RawSpan) -> SecretBytes {
    HMAC<Hash>.authenticate(inputKeyMaterial, key: salt)
  }

  /// RFC 5869 section 2.3: `count` bytes of output.
  ///
  /// - Throws: `wrongLength` for more than 255 digests.
  package static func expand(
    pseudorandomKey: RawSpan, info: RawSpan, count: Int
  ) throws(CryptoError) -> SecretBytes {
    guard count >= 0, count <= 255 * Hash.digestLength else { throw .wrongLength }
    var block = SecretBytes(count: 0)
    var output = SecretBytes(count: count)
    var written = 0
    var counter: UInt8 = 1
    while written < count {
      var hmac = HMAC<Hash>(key: pseudorandomKey)
      hmac.update(block.bytes)
      hmac.update(info)
      hmac.update([counter].raw)
      block = hmac.finalize()
      let take = min(Hash.digestLength, count - written)
      var target = output.mutableBytes
      var rest = target._mutatingExtracting(written..<count)
      rest.copy(from: block.bytes.extracting(0..<take))
      written += take
      counter &+= 1
    }
    return output
  }

  /// Extract, then expand.
  package static func derive(
    inputKeyMaterial: RawSpan, salt: RawSpan, info: RawSpan, count: Int
  ) throws(CryptoError) -> SecretBytes {
    let key = extract(salt: salt, inputKeyMaterial: inputKeyMaterial)
    return try expand(pseudorandomKey: key.bytes, info: info, count: count)
  }
}
