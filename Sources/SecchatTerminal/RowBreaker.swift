/// Breaks lines into rows, within words too, so that no terminal does it: what it breaks begins in its first column,
/// where only lines of ours begin.
struct RowBreaker {
  private let columns: Int
  private let indent: Int
  private var used = 0

  /// - Parameter indent: blanks at the beginning of a row that goes on with a line.
  init(columns: Int, indent: Int) {
    self.columns = columns
    self.indent = indent
  }

  /// What follows on the text before.
  mutating func broken(_ text: String) -> String {
    var rows = String.UnicodeScalarView()
    for character in text {
      let scalars = character.unicodeScalars
      makeRoom(for: scalars.reduce(0) { $0 + widest($1) }, in: &rows)
      for scalar in scalars {
        // What is too wide for any row is broken as well.
        makeRoom(for: widest(scalar), in: &rows)
        rows.append(scalar)
        used = scalar == "\n" ? 0 : used + widest(scalar)
      }
    }
    return String(rows)
  }

  private mutating func makeRoom(for width: Int, in rows: inout String.UnicodeScalarView) {
    guard used > indent, used + width > columns else { return }
    rows.append(contentsOf: ("\n" + String(repeating: " ", count: indent)).unicodeScalars)
    used = indent
  }
}
