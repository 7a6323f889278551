internal import SecchatCrypto

/// Base32 of RFC 4648 in upper case, without padding, for bytes that are wiped: neither the bytes nor the letters pass
/// through an array or a string.
enum SecretBase32 {
  static func encode(_ bytes: RawSpan) -> SecretBytes {
    SecretBytes(count: (bytes.byteCount * 8 + 4) / 5) { (target: inout MutableRawSpan) in
      var buffer: UInt32 = 0
      var bits: UInt32 = 0
      var next = 0
      func letter(_ value: UInt32) -> UInt8 { UInt8(value < 26 ? 0x41 + value : 0x32 + value - 26) }
      for index in 0..<bytes.byteCount {
        buffer = buffer << 8 | UInt32(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        bits += 8
        while bits >= 5 {
          bits -= 5
          target.storeBytes(of: letter(buffer >> bits & 31), toByteOffset: next, as: UInt8.self)
          next += 1
        }
        buffer &= (1 << bits) - 1
      }
      if bits > 0 {
        target.storeBytes(of: letter(buffer << (5 - bits) & 31), toByteOffset: next, as: UInt8.self)
      }
    }
  }

  /// Nil for other letters, and for letters that `encode` would not have written.
  static func decode(_ letters: RawSpan) -> SecretBytes? {
    var good = true
    let decoded = SecretBytes(count: letters.byteCount * 5 / 8) { (target: inout MutableRawSpan) in
      var buffer: UInt32 = 0
      var bits: UInt32 = 0
      var next = 0
      for index in 0..<letters.byteCount {
        let letter = unsafe letters.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        switch letter {
        case 0x41...0x5a: buffer = buffer << 5 | UInt32(letter - 0x41)
        case 0x32...0x37: buffer = buffer << 5 | UInt32(letter - 0x32 + 26)
        default: good = false
        }
        bits += 5
        guard bits >= 8 else { continue }
        bits -= 8
        target.storeBytes(of: UInt8(truncatingIfNeeded: buffer >> bits), toByteOffset: next, as: UInt8.self)
        next += 1
        buffer &= (1 << bits) - 1
      }
      if buffer != 0 || bits >= 5 { good = false }
    }
    guard good else { return nil }
    return decoded
  }
}
