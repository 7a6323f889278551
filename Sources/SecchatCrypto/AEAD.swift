internal import CSodium

/// An AEAD cipher. Sealing and opening happen in place, where the buffer holds the plaintext and 16 bytes of room for the
/// tag, then the ciphertext and its tag; or from one piece of memory into another.
package protocol AEADCipher {
  /// The nonce's length in bytes.
  static var nonceLength: Int { get }
}

/// ChaCha20-Poly1305 (RFC 8439): 12-byte nonces, for keys that count their messages.
package enum ChaChaPoly: AEADCipher {
  package static let nonceLength = 12
}

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): 24-byte nonces, for keys that draw nonces at random.
package enum XChaChaPoly: AEADCipher {
  package static let nonceLength = 24
}

/// The length of the tag of both ciphers, in bytes.
package let aeadTagLength = 16

/// The 32-byte key of one AEAD cipher.
package struct AEADKey<Cipher: AEADCipher>: ~Copyable, Sendable {
  /// The key's length in bytes.
  package static var length: Int { 32 }

  let secret: SecretBytes

  /// Takes 32 secret bytes over.
  package init(_ secret: consuming SecretBytes) throws(CryptoError) {
    guard secret.count == Self.length else { throw .wrongLength }
    self.secret = secret
  }

  /// A new random key.
  package static func random(in home: SecretBytes.Home = .heap) -> AEADKey {
    AEADKey(trusted: .random(count: length, in: home))
  }

  private init(trusted secret: consuming SecretBytes) { self.secret = secret }

  /// Another owner of the same key.
  package borrowing func duplicate() -> AEADKey { AEADKey(trusted: secret.duplicate()) }

  /// Writes the raw key into a buffer that is about to be sealed.
  package borrowing func export(into target: inout MutableRawSpan, at offset: Int) {
    target.copy(from: secret.bytes, at: offset)
  }
}

extension AEADKey {
  /// Hands a function of libsodium the buffer of at least `room` bytes, the data, the nonce and the key, and says what
  /// it returned.
  private borrowing func call(
    on buffer: inout MutableRawSpan, room: Int = aeadTagLength, nonce: RawSpan, authenticating data: RawSpan,
    _ function: (
      (bytes: UnsafeMutablePointer<UInt8>, count: Int), (bytes: UnsafePointer<UInt8>, count: UInt64),
      UnsafePointer<UInt8>, UnsafePointer<UInt8>
    ) -> Int32
  ) throws(CryptoError) -> Int32 {
    guard nonce.byteCount == Cipher.nonceLength, buffer.byteCount >= room else { throw .wrongLength }
    return unsafe withPointer(&buffer) { buffer, count in
      unsafe withPointer(nonce) { nonce, _ in
        unsafe withPointer(data) { data, dataCount in
          unsafe withPointer(secret.bytes) { key, _ in
            unsafe function((buffer, count), (data, UInt64(dataCount)), nonce, key)
          }
        }
      }
    }
  }
}

extension AEADKey where Cipher == ChaChaPoly {
  /// Seals `buffer` in place: its last 16 bytes become the tag.
  ///
  /// - Throws: `wrongLength` for a nonce of another length or a buffer without room for the tag.
  package borrowing func seal(
    inPlace buffer: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    // It cannot fail but for lengths that no memory has.
    _ = try unsafe call(on: &buffer, nonce: nonce, authenticating: data) { buffer, data, nonce, key in
      unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
        buffer.bytes, nil, buffer.bytes, UInt64(buffer.count - aeadTagLength), data.bytes, data.count, nil,
        nonce, key)
    }
  }

  /// Opens `buffer` in place; the plaintext is all but its last 16 bytes. What does not authenticate is overwritten
  /// with zeros.
  ///
  /// - Throws: `authenticationFailed`; `wrongLength` for a buffer shorter than a tag or a nonce of another length.
  package borrowing func open(
    inPlace buffer: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    let status = try unsafe call(on: &buffer, nonce: nonce, authenticating: data) {
      buffer, data, nonce, key in
      unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
        buffer.bytes, nil, nil, buffer.bytes, UInt64(buffer.count), data.bytes, data.count, nonce, key)
    }
    guard status == 0 else { throw .authenticationFailed }
  }

  /// Seals `plaintext` into other memory, 16 bytes longer.
  ///
  /// - Throws: `wrongLength` for a target or a nonce of another length.
  package borrowing func seal(
    _ plaintext: RawSpan, into target: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    guard target.byteCount == plaintext.byteCount + aeadTagLength else { throw .wrongLength }
    // It cannot fail but for lengths that no memory has.
    _ = try unsafe call(on: &target, nonce: nonce, authenticating: data) { target, data, nonce, key in
      unsafe withPointer(plaintext) { plaintext, count in
        unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
          target.bytes, nil, plaintext, UInt64(count), data.bytes, data.count, nil, nonce, key)
      }
    }
  }

  /// Opens `sealed` into other memory, 16 bytes shorter. For what does not authenticate, that is filled with zeros.
  ///
  /// - Throws: `authenticationFailed`; `wrongLength` for a target or a nonce of another length.
  package borrowing func open(
    _ sealed: RawSpan, into target: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    guard target.byteCount == sealed.byteCount - aeadTagLength else { throw .wrongLength }
    let status = try unsafe call(on: &target, room: 0, nonce: nonce, authenticating: data) {
      target, data, nonce, key in
      unsafe withPointer(sealed) { sealed, count in
        unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
          target.bytes, nil, nil, sealed, UInt64(count), data.bytes, data.count, nonce, key)
      }
    }
    guard status == 0 else { throw .authenticationFailed }
  }
}

extension AEADKey where Cipher == XChaChaPoly {
  /// Seals `buffer` in place: its last 16 bytes become the tag.
  ///
  /// - Throws: `wrongLength` for a nonce of another length or a buffer without room for the tag.
  package borrowing func seal(
    inPlace buffer: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    // It cannot fail but for lengths that no memory has.
    _ = try unsafe call(on: &buffer, nonce: nonce, authenticating: data) { buffer, data, nonce, key in
      unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
        buffer.bytes, nil, buffer.bytes, UInt64(buffer.count - aeadTagLength), data.bytes, data.count, nil,
        nonce, key)
    }
  }

  /// Opens `buffer` in place; the plaintext is all but its last 16 bytes. What does not authenticate is overwritten
  /// with zeros.
  ///
  /// - Throws: `authenticationFailed`; `wrongLength` for a buffer shorter than a tag or a nonce of another length.
  package borrowing func open(
    inPlace buffer: inout MutableRawSpan, nonce: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) {
    let status = try unsafe call(on: &buffer, nonce: nonce, authenticating: data) {
      buffer, data, nonce, key in
      unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
        buffer.bytes, nil, nil, buffer.bytes, UInt64(buffer.count), data.bytes, data.count, nonce, key)
    }
    guard status == 0 else { throw .authenticationFailed }
  }

  /// `nonce || ciphertext || tag` of `plaintext` under a random nonce: how values are sealed at rest.
  package borrowing func sealWithRandomNonce(_ plaintext: RawSpan, authenticating data: RawSpan) -> [UInt8] {
    let nonce: FixedBytes<24> = Random.bytes()
    // One piece of memory, sealed in place: growing arrays would leave the plaintext behind them.
    var sealed = [UInt8](repeating: 0, count: XChaChaPoly.nonceLength + plaintext.byteCount + aeadTagLength)
    sealed.withMutableRaw { span in
      span.copy(from: nonce.bytes)
      span.copy(from: plaintext, at: XChaChaPoly.nonceLength)
      var body = span._mutatingExtracting(XChaChaPoly.nonceLength..<span.byteCount)
      // The lengths are right by construction; were they not, the plaintext must not go out for its seal.
      do throws(CryptoError) {
        try seal(inPlace: &body, nonce: nonce.bytes, authenticating: data)
      } catch { preconditionFailure("a nonce and room for the tag") }
    }
    return sealed
  }

  /// Opens what `sealWithRandomNonce` made.
  ///
  /// - Throws: `authenticationFailed`; `wrongLength` for fewer than 40 bytes.
  package borrowing func openWithNonce(
    _ sealed: RawSpan, authenticating data: RawSpan
  ) throws(CryptoError) -> SecretBytes {
    let overhead = XChaChaPoly.nonceLength + aeadTagLength
    guard sealed.byteCount >= overhead else { throw .wrongLength }
    let nonce = sealed.extracting(0..<XChaChaPoly.nonceLength)
    var opened = SecretBytes(copying: sealed.extracting(XChaChaPoly.nonceLength..<sealed.byteCount))
    var span = opened.mutableBytes
    try open(inPlace: &span, nonce: nonce, authenticating: data)
    return SecretBytes(copying: opened.bytes.extracting(0..<(sealed.byteCount - overhead)))
  }

  /// The same for what is no secret once it is in memory, such as a row of a database.
  package borrowing func openRow(
    _ sealed: [UInt8], authenticating data: [UInt8]
  ) throws(CryptoError) -> [UInt8] {
    let opened = try openWithNonce(sealed.raw, authenticating: data.raw)
    return opened.bytes.array
  }
}
