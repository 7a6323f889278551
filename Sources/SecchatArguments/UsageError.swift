/// What was wrong with a command line, and what to do about it.
package struct UsageError: Error, Equatable, CustomStringConvertible {
  package var message: String
  package var hint: String

  package init(_ message: String, hint: String = "") {
    self.message = message
    self.hint = hint
  }

  /// One line. It may repeat what the user typed: pass it on as text from outside.
  package var description: String { hint.isEmpty ? message : "\(message); \(hint)" }
}

/// The name closest to `word`, if any is close enough to be what was meant.
func nearest(to word: String, among names: [String]) -> String? {
  let word = word.lowercased()
  guard word.utf8.count <= 64 else { return nil }
  let scored = names.map { (name: $0, distance: editDistance(word, $0.lowercased())) }
  guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
  let limit = max(1, min(3, word.count / 3 + (word.count >= 4 ? 1 : 0)))
  if best.distance <= limit { return best.name }
  return word.count >= 2 ? names.first { $0.hasPrefix(word) } : nil
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a)
  let b = Array(b)
  var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
  for i in 0...a.count { rows[i][0] = i }
  for j in 0...b.count { rows[0][j] = j }
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  for i in 1...a.count {
    for j in 1...b.count {
      let replaced = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, replaced)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
      }
    }
  }
  return rows[a.count][b.count]
}
