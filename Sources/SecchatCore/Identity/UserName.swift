/// A user's name at a registry: 3 to 32 of `a-z 0-9 . _ -`, the first a letter, a digit or `_` (a name becomes a
/// folder's name and stands on command lines). Canonical by construction.
package struct UserName: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String

  /// Folds `A-Z` to lower case; nil for anything that is no name then.
  package init?(_ text: String) {
    let bytes = text.utf8.map { 0x41...0x5a ~= $0 ? $0 | 0x20 : $0 }
    guard Limits.userName.contains(bytes.count), bytes.allSatisfy(Self.allows),
      bytes[0] != UInt8(ascii: "."), bytes[0] != UInt8(ascii: "-")
    else { return nil }
    self.text = String(decoding: bytes, as: UTF8.self)
  }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x30...0x39, 0x2e, 0x5f, 0x2d: true
    default: false
    }
  }

  package var description: String { text }

  package static func < (left: UserName, right: UserName) -> Bool { left.text < right.text }

  /// A one-byte length and the name. On the wire only the canonical form is accepted.
  package init(from reader: inout WireReader) throws(WireError) {
    let text = try WireReader.text(reader.vector8())
    guard let name = UserName(text), name.text == text else { throw .malformed }
    self = name
  }

  package func encode(into writer: inout WireWriter) { writer.vector8(Array(text.utf8)) }
}
