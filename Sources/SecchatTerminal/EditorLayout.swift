import CEdit
import Glibc

/// Counts the rows that libedit needs for a line; the widths are its own.
struct RowLayout {
  let columns: Int
  private(set) var row = 0
  private(set) var column = 0

  init(columns: Int) { self.columns = max(1, columns) }

  mutating func add(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\n":
      row += 1
      column = 0
    case "\t":
      repeat { advance(1) } while column % 8 != 0
    default: advance(width(scalar))
    }
  }

  private mutating func advance(_ width: Int) {
    if column + width > columns {
      row += 1
      column = 0
    }
    column += width
    if column >= columns {
      row += 1
      column = 0
    }
  }

  /// Controls show as `^X`, what cannot be shown as `\U+12345`.
  private func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x20 || scalar.value == 0x7F { return 2 }
    let width = wcwidth(wchar_t(bitPattern: scalar.value))
    if width >= 0 { return Int(width) }
    return scalar.value > 0xFFFF ? 8 : 7
  }
}

/// A prompt as a C wide string at an address that stays.
@safe final class PromptText {
  private(set) var scalars: [Unicode.Scalar] = []
  private(set) var pointer: UnsafeMutablePointer<wchar_t>

  init() {
    unsafe pointer = UnsafeMutablePointer<wchar_t>.allocate(capacity: 1)
    unsafe pointer.initialize(to: 0)
  }

  deinit { unsafe pointer.deallocate() }

  func set(_ text: String) {
    let characters = wide(text)
    scalars = Array(text.unicodeScalars)
    unsafe pointer.deallocate()
    unsafe pointer = UnsafeMutablePointer<wchar_t>.allocate(capacity: characters.count)
    for (index, character) in characters.enumerated() { unsafe (pointer + index).initialize(to: character) }
  }
}

/// What all candidates begin with.
func commonPrefix(_ a: String, _ b: String) -> String {
  String(zip(a, b).prefix { $0 == $1 }.map(\.0))
}

/// Names side by side in columns, ordered downwards.
func tabulate(_ names: [String], columns: Int) -> String {
  let width = (names.map { displayWidth($0) }.max() ?? 0) + 2
  let perLine = max(1, (columns - 1) / width)
  let lines = (names.count + perLine - 1) / perLine
  var text = ""
  for line in 0..<lines {
    let row = stride(from: line, to: names.count, by: lines).map { names[$0] }
    for name in row.dropLast() { text += name + String(repeating: " ", count: width - displayWidth(name)) }
    text += (row.last ?? "") + "\n"
  }
  return text
}
