import SecchatCrypto
import TestSupport
import Testing

// The primitives over arrays, nil where they refuse: tests compare, so secrecy is not their concern.

extension HMAC where Hash: ~Copyable {
  static func array(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    let tag = authenticate(message.raw, key: key.raw)
    return tag.bytes.array
  }
}

extension HKDF where Hash: ~Copyable {
  static func array(_ key: [UInt8], salt: [UInt8], info: [UInt8], count: Int) -> [UInt8]? {
    do {
      let output = try derive(inputKeyMaterial: key.raw, salt: salt.raw, info: info.raw, count: count)
      return output.bytes.array
    } catch {
      return nil
    }
  }
}

enum Sealer<Cipher: AEADCipher> {
  /// The bytes as `body` leaves them.
  private static func changing(
    _ bytes: [UInt8], _ body: (inout MutableRawSpan) throws(CryptoError) -> Void
  ) -> [UInt8]? {
    var bytes = bytes
    do {
      try bytes.withMutableRaw(body)
      return bytes
    } catch {
      return nil
    }
  }
}

// In place and into other memory, which must come to the same.
extension Sealer where Cipher == ChaChaPoly {
  static func seal(_ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    let sealed = changing(input + [UInt8](repeating: 0, count: aeadTagLength)) {
      (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<ChaChaPoly>(SecretBytes(key))
      try key.seal(inPlace: &span, nonce: nonce.raw, authenticating: data.raw)
    }
    let apart = changing([UInt8](repeating: 0xa5, count: input.count + aeadTagLength)) {
      (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<ChaChaPoly>(SecretBytes(key))
      try key.seal(input.raw, into: &span, nonce: nonce.raw, authenticating: data.raw)
    }
    #expect(apart == sealed)
    return sealed
  }

  static func open(_ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    let opened = changing(input) { (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<ChaChaPoly>(SecretBytes(key))
      try key.open(inPlace: &span, nonce: nonce.raw, authenticating: data.raw)
    }?.dropLast(aeadTagLength)
    let apart = changing([UInt8](repeating: 0xa5, count: max(0, input.count - aeadTagLength))) {
      (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<ChaChaPoly>(SecretBytes(key))
      try key.open(input.raw, into: &span, nonce: nonce.raw, authenticating: data.raw)
    }
    #expect(apart == opened.map { Array($0) })
    return apart
  }
}

extension Sealer where Cipher == XChaChaPoly {
  static func seal(_ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    changing(input + [UInt8](repeating: 0, count: aeadTagLength)) {
      (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<XChaChaPoly>(SecretBytes(key))
      try key.seal(inPlace: &span, nonce: nonce.raw, authenticating: data.raw)
    }
  }

  static func open(_ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    changing(input) { (span: inout MutableRawSpan) throws(CryptoError) in
      let key = try AEADKey<XChaChaPoly>(SecretBytes(key))
      try key.open(inPlace: &span, nonce: nonce.raw, authenticating: data.raw)
    }?.dropLast(aeadTagLength)
  }
}
