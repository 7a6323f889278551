import SecchatCrypto
import TestSupport
import Testing

@Suite struct PrimitiveTests {
  @Test func `comparison in constant time finds every difference`() {
    let bytes = [UInt8](0..<64)
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { ConstantTime.equal(left.raw, right.raw) }
    #expect(equal(bytes, Array(0..<64)))
    #expect(equal([], []))
    #expect(!equal(bytes, bytes.dropLast()))
    for index in bytes.indices {
      for bit in 0..<8 {
        var other = bytes
        other[index] ^= 1 << bit
        #expect(!equal(bytes, other))
      }
    }
  }

  /// With either top bit.
  @Test(arguments: smallOrderKeys)
  func `an all-zero shared secret is refused`(key: String) throws {
    var bytes = [UInt8](hex: key)
    for top: UInt8 in [0, 0x80] {
      bytes[31] ^= top
      let raw: FixedBytes<32>? = FixedBytes(bytes)
      let degenerate = AgreementPublicKey<LinkPurpose>(try #require(raw))
      #expect(throws: CryptoError.authenticationFailed) {
        let pair = try AgreementPrivateKey<LinkPurpose>.random()
        _ = try pair.sharedSecret(with: degenerate)
      }
    }
  }

  private typealias Seal = ([UInt8], [UInt8], [UInt8], [UInt8]) -> [UInt8]?

  @Test(arguments: [12, 24])
  func `an AEAD notices every flipped bit, cut and addition`(nonceLength: Int) throws {
    let (seal, open): (Seal, Seal) =
      nonceLength == 12
      ? (Sealer<ChaChaPoly>.seal, Sealer<ChaChaPoly>.open)
      : (Sealer<XChaChaPoly>.seal, Sealer<XChaChaPoly>.open)
    let (key, nonce, data) = ([UInt8](0..<32), [UInt8](0..<UInt8(nonceLength)), [UInt8](0..<20))
    let plaintext = [UInt8](repeating: 0x5a, count: 67)
    let sealed = try #require(seal(plaintext, key, nonce, data))
    #expect(sealed.count == plaintext.count + aeadTagLength)
    #expect(open(sealed, key, nonce, data) == plaintext)
    let inputs = [sealed, key, nonce, data]
    for which in inputs.indices {
      for index in inputs[which].indices {
        for bit in 0..<8 {
          var forged = inputs
          forged[which][index] ^= 1 << bit
          #expect(open(forged[0], forged[1], forged[2], forged[3]) == nil)
        }
      }
    }
    for length in 0..<sealed.count { #expect(open(Array(sealed[..<length]), key, nonce, data) == nil) }
    #expect(open(sealed + [0], key, nonce, data) == nil)
    #expect(open(sealed, key, nonce, data + [0]) == nil)
    #expect(seal(plaintext, key, nonce + [0], data) == nil)
    #expect(seal(plaintext, Array(key.dropLast()), nonce, data) == nil)
  }

  @Test func `what does not open is not left to be read`() throws {
    let (key, nonce) = ([UInt8](0..<32), [UInt8](0..<12))
    var sealed = try #require(Sealer<ChaChaPoly>.seal([UInt8](repeating: 0x5a, count: 40), key, nonce, []))
    sealed[0] ^= 1
    var target = [UInt8](repeating: 0x5a, count: 40)
    #expect(throws: CryptoError.authenticationFailed) {
      try target.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
        try AEADKey<ChaChaPoly>(SecretBytes(key)).open(
          sealed.raw, into: &span, nonce: nonce.raw, authenticating: RawSpan())
      }
    }
    #expect(target == [UInt8](repeating: 0, count: 40))
    #expect(throws: CryptoError.authenticationFailed) {
      try sealed.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
        try AEADKey<ChaChaPoly>(SecretBytes(key)).open(
          inPlace: &span, nonce: nonce.raw, authenticating: RawSpan())
      }
    }
    #expect(sealed.prefix(40) == [UInt8](repeating: 0, count: 40)[...])
  }

  @Test(arguments: [-1, 1]) func `memory of another length is not taken`(_ difference: Int) throws {
    let (key, nonce, plaintext) = ([UInt8](0..<32), [UInt8](0..<12), [UInt8](repeating: 1, count: 40))
    var sealed = [UInt8](repeating: 0x5a, count: 56 + difference)
    #expect(throws: CryptoError.wrongLength) {
      try sealed.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
        try AEADKey<ChaChaPoly>(SecretBytes(key)).seal(
          plaintext.raw, into: &span, nonce: nonce.raw, authenticating: RawSpan())
      }
    }
    #expect(sealed.allSatisfy { $0 == 0x5a })
    var opened = [UInt8](repeating: 0x5a, count: 24 + difference)
    #expect(throws: CryptoError.wrongLength) {
      try opened.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
        try AEADKey<ChaChaPoly>(SecretBytes(key)).open(
          plaintext.raw, into: &span, nonce: nonce.raw, authenticating: RawSpan())
      }
    }
    #expect(opened.allSatisfy { $0 == 0x5a })
  }

  @Test func `random nonces are drawn anew and checked`() throws {
    let key = AEADKey<XChaChaPoly>.random()
    let (plaintext, data) = ([UInt8](0..<50), [UInt8](repeating: 1, count: 3))
    let first = key.sealWithRandomNonce(plaintext.raw, authenticating: data.raw)
    let second = key.sealWithRandomNonce(plaintext.raw, authenticating: data.raw)
    #expect(first != second)
    #expect(first.count == 24 + plaintext.count + 16)
    let opened = try key.openWithNonce(first.raw, authenticating: data.raw)
    #expect(opened.bytes.array == plaintext)
    for length in 0..<40 {
      #expect(throws: CryptoError.wrongLength) {
        _ = try key.openWithNonce(first.raw.extracting(first: length), authenticating: data.raw)
      }
    }
    for index in first.indices {
      var forged = first
      forged[index] ^= 1
      #expect(throws: CryptoError.authenticationFailed) {
        _ = try key.openWithNonce(forged.raw, authenticating: data.raw)
      }
    }
  }

  /// Whether memory that this thread has just let go holds the bytes.
  private func isLeftBehind(_ bytes: [UInt8]) -> Bool {
    // Blocks of about the size come back first, as they were left.
    let blocks = (0..<200).map { index in
      unsafe [UInt8](unsafeUninitializedCapacity: 560 + index / 4 * 16) { bytes, count in
        count = bytes.count
      }
    }
    return blocks.contains { $0.contains(bytes) }
  }

  @Test func `sealing with a random nonce leaves no copy of the plaintext behind`() {
    let key = AEADKey<XChaChaPoly>.random()
    // Of random bytes over and over, so that no other test's memory looks the same and any part of a copy is found.
    func secret(_ part: FixedBytes<32>) -> SecretBytes {
      SecretBytes(count: 640) { span in
        for start in stride(from: 0, to: 640, by: 32) { span.copy(from: part.bytes, at: start) }
      }
    }
    let copied: FixedBytes<32> = Random.bytes()
    let control = secret(copied)
    // A sanitizer's allocator gives nothing back so soon; without one, what a copy leaves is found, unless another
    // thread takes the block first.
    let isFound = (0..<100).contains { _ in
      do {
        let copy = control.bytes.array
        withExtendedLifetime(copy) {}
      }
      return isLeftBehind(copied.array)
    }
    #expect(isFound || isSanitized)
    let part: FixedBytes<32> = Random.bytes()
    let plaintext = secret(part)
    let sealed = key.sealWithRandomNonce(plaintext.bytes, authenticating: RawSpan())
    #expect(!isLeftBehind(part.array))
    #expect(sealed.count == 680)
  }

  @Test func `HKDF gives 255 digests and not a byte more`() {
    #expect(HKDF<SHA256>.array([1], salt: [], info: [], count: 255 * 32)?.count == 255 * 32)
    #expect(HKDF<SHA256>.array([1], salt: [], info: [], count: 255 * 32 + 1) == nil)
    #expect(HKDF<BLAKE2b>.array([1], salt: [], info: [], count: 255 * 64)?.count == 255 * 64)
    #expect(HKDF<BLAKE2b>.array([1], salt: [], info: [], count: 255 * 64 + 1) == nil)
    #expect(HKDF<SHA512>.array([1], salt: [], info: [], count: -1) == nil)
    #expect(HKDF<SHA512>.array([1], salt: [], info: [], count: 0) == [])
  }

  @Test func `keys of a wrong length are refused`() {
    for count in [0, 31, 33, 64] {
      #expect(throws: CryptoError.wrongLength) {
        _ = try AgreementPrivateKey<LinkPurpose>(SecretBytes(count: count))
      }
      #expect(throws: CryptoError.wrongLength) {
        _ = try SigningPrivateKey<IdentityPurpose>(seed: SecretBytes(count: count))
      }
      #expect(throws: CryptoError.wrongLength) { _ = try AEADKey<ChaChaPoly>(SecretBytes(count: count)) }
      #expect(FixedBytes<32>([UInt8](repeating: 0, count: count)) as FixedBytes<32>? == nil)
    }
  }

  @Test func `a signature is bound to its label`() throws {
    let pair = try SigningPrivateKey<DevicePurpose>.random()
    let (one, other) = (SignatureLabel("secchat test one"), SignatureLabel("secchat test"))
    let message = [UInt8](" one".utf8)
    let key = pair.publicKey
    func verifies(_ signature: SignatureBytes, _ label: SignatureLabel, _ message: [UInt8]) -> Bool {
      key.verifies(signature, label: label, message: message.raw)
    }
    let signature = pair.sign(label: one, message: message.raw)
    #expect(verifies(signature, one, message))
    #expect(!verifies(signature, other, message))
    let isBare = key.verifiesBare(signature, message: message.raw)
    #expect(!isBare)
    // Moving the end of the label into the message gives another input, thanks to the zero byte between.
    let shifted = pair.sign(label: other, message: message.raw)
    #expect(!verifies(shifted, one, []))
    for index in 0..<64 {
      var forged = signature.array
      forged[index] ^= 1
      let raw: SignatureBytes? = FixedBytes(forged)
      #expect(!verifies(try #require(raw), one, message))
    }
  }

  // Keys of different purposes are different types: `AgreementPublicKey<MessagingPurpose>` where a
  // `AgreementPublicKey<LinkPurpose>` is wanted does not compile, nor does a public key where a private one is.

  @Test func `hexadecimal both ways`() {
    #expect(Hex.encode([0x00, 0x0f, 0xff]) == "000fff")
    #expect(Hex.decode("000FfF") == [0, 15, 255])
    #expect(Hex.decode("") == [])
    for text in ["0", "0g", "é", " 00", "0x00", "\u{ff10}0"] { #expect(Hex.decode(text) == nil) }
  }
}
