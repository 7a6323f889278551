internal import CUTF8Proc
internal import Glibc

/// Text as a search compares it: without case, accents and other marks, and with one form for characters that only look
/// different (Unicode's compatibility decomposition).
package struct FoldedText: Equatable, Sendable {
  private let bytes: [UInt8]

  package init(_ text: String) {
    var text = text
    bytes = text.withUTF8 { utf8 in
      // Most text is ASCII, where only capitals differ.
      let isASCII = unsafe utf8.allSatisfy { $0 < 0x80 }
      guard isASCII else { return unsafe Self.fold(utf8) }
      return unsafe utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
  }

  private static func fold(_ utf8: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var folded: UnsafeMutablePointer<UInt8>?
    let options = utf8proc_option_t(
      UTF8PROC_STABLE.rawValue | UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue
        | UTF8PROC_CASEFOLD.rawValue | UTF8PROC_STRIPMARK.rawValue)
    let count = unsafe utf8proc_map(utf8.baseAddress, utf8.count, &folded, options)
    guard count >= 0, let folded = unsafe folded else { return unsafe Array(utf8) }
    defer { unsafe free(folded) }
    return unsafe Array(UnsafeBufferPointer(start: folded, count: count))
  }

  package var isEmpty: Bool { bytes.isEmpty }

  /// Whether the other text stands somewhere in this one.
  package func contains(_ other: FoldedText) -> Bool {
    guard let first = other.bytes.first else { return true }
    return unsafe bytes.withUnsafeBytes { text in
      unsafe other.bytes.withUnsafeBytes { wanted in
        guard let start = text.baseAddress, let wantedStart = wanted.baseAddress else {
          return false
        }
        var place = 0
        while place + wanted.count <= text.count {
          let room = text.count - wanted.count - place + 1
          guard let hit = unsafe memchr(start + place, Int32(first), room) else { return false }
          if unsafe memcmp(hit, wantedStart, wanted.count) == 0 { return true }
          place = unsafe UnsafeRawPointer(hit) - start + 1
        }
        return false
      }
    }
  }
}
