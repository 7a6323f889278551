internal import SecchatText

/// Columns that text takes on a terminal. Controls count nothing.
package func displayWidth(_ text: some StringProtocol) -> Int {
  // Most text is ASCII, where every byte is a column.
  if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text.utf8.count }
  return text.reduce(0) { $0 + width(of: $1) }
}

/// The longest beginning that fits, with `…` where something was left out.
package func truncate(_ text: String, toColumns columns: Int) -> String {
  guard displayWidth(text) > columns else { return text }
  guard columns > 0 else { return "" }
  return prefix(text, columns - 1) + "…"
}

/// Leaves out the middle, so that the ending of a file name stays to be seen.
func shorten(_ text: String, toColumns columns: Int) -> String {
  guard displayWidth(text) > columns else { return text }
  guard columns > 0 else { return "" }
  let tail = suffix(text, (columns - 1) / 2)
  return prefix(text, columns - 1 - displayWidth(tail)) + "…" + tail
}

private func prefix(_ text: String, _ columns: Int) -> String {
  var left = columns
  return String(
    text.prefix {
      left -= width(of: $0)
      return left >= 0
    })
}

private func suffix(_ text: String, _ columns: Int) -> String {
  var left = columns
  let kept = text.reversed().prefix {
    left -= width(of: $0)
    return left >= 0
  }
  return String(kept.reversed())
}

/// A cluster that emoji joiners, selectors or a pair of flags make one picture takes two columns.
private func width(of character: Character) -> Int {
  let scalars = character.unicodeScalars
  let sum = scalars.reduce(0) { $0 + columns(of: $1) }
  guard scalars.count > 1, sum > 0, let first = scalars.first else { return sum }
  let isPicture =
    scalars.contains("\u{200D}") || scalars.contains("\u{FE0F}")
    || (0x1F1E6...0x1F1FF).contains(first.value) || scalars.contains { $0.properties.isEmojiModifier }
  return isPicture && first.properties.isEmoji ? 2 : sum
}

/// Columns on the terminal that needs most: one that joins no emoji, or knows what is newer than our tables.
func widest(_ scalar: Unicode.Scalar) -> Int {
  guard !scalar.isASCII else { return 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return columns(of: scalar)
  case .unassigned, .privateUse: return 2
  default: return scalar.properties.isEmoji ? 2 : max(1, columns(of: scalar))
  }
}
