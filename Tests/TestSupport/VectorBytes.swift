package import SecchatCrypto

extension SecretBytes {
  /// A secret of the given bytes.
  package init(_ bytes: [UInt8], in home: Home = .heap) { self.init(copying: bytes.raw, in: home) }

  /// The bytes, to be compared.
  package borrowing func copied() -> [UInt8] { bytes.array }
}

extension [UInt8] {
  /// The bytes that hexadecimal digits write, spaces and line breaks aside; a test's own text, so it must be right.
  package init(hex text: String) {
    guard let bytes = Hex.decode(text.filter { !$0.isWhitespace }) else {
      preconditionFailure("not hexadecimal: \(text)")
    }
    self = bytes
  }
}
