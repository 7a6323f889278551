/// One line of an interactive shell, taken word by word, so that what follows may be taken as it stands.
///
/// Words are separated by blanks; `'…'` keeps everything, `"…"` keeps everything but `\"` and `\\`,
/// and a backslash outside quotes keeps the next character.
package struct ShellLine: Sendable {
  private var remaining: Substring

  package init(_ line: String) { remaining = line[...] }

  /// What is left, exactly as typed, without leading blanks.
  package var rest: String { String(remaining.drop(while: \.isWhitespace)) }

  /// The next word, or nil at the end of the line.
  package mutating func nextWord() throws(UsageError) -> String? {
    var scan = remaining.drop(while: \.isWhitespace)
    guard !scan.isEmpty else { return nil }
    var word = ""
    while let character = scan.first, !character.isWhitespace {
      scan.removeFirst()
      switch character {
      case "'", "\"": word += try Self.quoted(by: character, &scan)
      case "\\":
        guard let next = scan.popFirst() else {
          throw UsageError("the line ends with a backslash", hint: "write \\\\ for the character itself")
        }
        word.append(next)
      default: word.append(character)
      }
    }
    remaining = scan
    return word
  }

  private static func quoted(
    by quote: Character, _ scan: inout Substring
  ) throws(UsageError) -> String {
    var text = ""
    while let character = scan.popFirst() {
      if character == quote { return text }
      if quote == "\"", character == "\\", let next = scan.first, next == "\"" || next == "\\" {
        scan.removeFirst()
        text.append(next)
      } else {
        text.append(character)
      }
    }
    throw UsageError("a quote \(quote) is never closed", hint: "close it, or write \\\(quote)")
  }
}

/// Every word of a line.
package func splitWords(_ line: String) throws(UsageError) -> [String] {
  var shellLine = ShellLine(line)
  var words: [String] = []
  while let word = try shellLine.nextWord() { words.append(word) }
  return words
}
