/// Decides, scalar by scalar, what text from outside may bring to a terminal.
struct Sanitizer {
  /// More marks on one base would spill over the lines above and below.
  static let maximumMarks = 5

  enum Newlines {
    case keep
    case replace(with: Unicode.Scalar)
  }

  var newlines: Newlines
  /// Stands for what is taken out; nil leaves no trace.
  var replacement: Unicode.Scalar?
  var foldsSpaces = false

  func clean(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var strings = ControlStrings(scalars)
    var output = String.UnicodeScalarView()
    var index = 0
    var marks = 0
    var base: Unicode.Scalar?
    func replace() {
      if let replacement, output.last != replacement { output.append(replacement) }
      base = replacement
      marks = 0
    }
    while index < scalars.count {
      let scalar = scalars[index]
      if let end = escapeSequence(in: scalars, at: index, &strings) {
        replace()
        index = end
        continue
      }
      index += 1
      switch kind(of: scalar) {
      case .newline:
        // CR LF is one line end.
        if scalar == "\r", index < scalars.count, scalars[index] == "\n" { continue }
        if case .replace(let stand) = newlines { output.append(stand) } else { output.append("\n") }
        base = nil
      case .tab:
        output.append(" ")
        base = nil
      case .forbidden: replace()
      case .joiner:
        let next = index < scalars.count ? scalars[index] : nil
        if let base, let next, joins(base), joins(next) { output.append(scalar) } else { replace() }
      case .mark:
        // A mark without a base would fall onto text of ours.
        guard base != nil, marks < Self.maximumMarks else { continue }
        marks += 1
        output.append(scalar)
      case .space:
        output.append(foldsSpaces ? " " : scalar)
        base = nil
      case .visible:
        output.append(scalar)
        base = scalar
        marks = 0
      }
    }
    return String(output)
  }

  private enum Kind { case newline, tab, forbidden, joiner, mark, space, visible }

  private func kind(of scalar: Unicode.Scalar) -> Kind {
    switch scalar.value {
    case 0x0A, 0x0D: return .newline
    case 0x09: return .tab
    case 0x20...0x7E: return scalar == " " ? .space : .visible
    case 0x200C, 0x200D: return .joiner
    case 0xFE00...0xFE0F: return .mark
    default: break
    }
    let properties = scalar.properties
    if properties.isBidiControl || properties.isDefaultIgnorableCodePoint
      || properties.isNoncharacterCodePoint
    {
      return .forbidden
    }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: return .forbidden
    case .nonspacingMark, .enclosingMark, .spacingMark: return .mark
    case .spaceSeparator: return .space
    default: return .visible
    }
  }

  /// Joiners shape letters of some scripts and compose emoji; next to ASCII they only hide.
  private func joins(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.isASCII else { return false }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .otherSymbol, .modifierSymbol:
      return kind(of: scalar) == .visible
    default: return scalar.properties.isEmoji
    }
  }

  /// The index after the escape sequence (ECMA-48 §5.3–5.6) that begins at `start`, if one does.
  private func escapeSequence(
    in scalars: [Unicode.Scalar], at start: Int, _ strings: inout ControlStrings
  ) -> Int? {
    func value(_ index: Int) -> UInt32 { index < scalars.count ? scalars[index].value : 0 }
    func skip(_ range: ClosedRange<UInt32>, from index: Int) -> Int {
      scalars[index...].firstIndex { !range.contains($0.value) } ?? scalars.count
    }
    let control: UInt32
    let next: Int
    switch (value(start), value(start + 1)) {
    case (0x80...0x9F, _): (control, next) = (value(start), start + 1)
    case (0x1B, 0x40...0x5F): (control, next) = (value(start + 1) + 0x40, start + 2)
    case (0x1B, 0x20...0x2F):
      let end = skip(0x20...0x2F, from: start + 1)
      return (0x30...0x7E).contains(value(end)) ? end + 1 : end
    case (0x1B, 0x30...0x7E): return start + 2
    case (0x1B, _): return start + 1
    default: return nil
    }
    switch control {
    case 0x9B:
      let end = skip(0x20...0x2F, from: skip(0x30...0x3F, from: next))
      return (0x40...0x7E).contains(value(end)) ? end + 1 : end
    case 0x90, 0x98, 0x9D, 0x9E, 0x9F: return strings.end(from: next) ?? next
    // NEL is taken for a control, not for a line end: terminals differ about it.
    default: return next
    }
  }
}

/// Finds the ends of control strings. Of many beginnings before one end each would look all the way to it: where the
/// last one came to is remembered, so that no scalar is looked at twice.
struct ControlStrings {
  private let scalars: [Unicode.Scalar]
  /// The first scalar after all that was looked at that ends a string, or shows that there is none.
  private var decisive = 0
  /// How many scalars were looked at.
  private(set) var looks = 0

  init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

  /// A control string ends with BEL or ST; one that never ends, or not on its line, hides nothing.
  ///
  /// - Parameter start: no smaller than the one before.
  mutating func end(from start: Int) -> Int? {
    decisive = max(decisive, start)
    while decisive < scalars.count {
      looks += 1
      switch scalars[decisive].value {
      case 0x07, 0x9C: return decisive + 1
      case 0x1B:
        let isEnd = decisive + 1 < scalars.count && scalars[decisive + 1] == "\\"
        return isEnd ? decisive + 2 : nil
      case 0x0A, 0x0D: return nil
      default: decisive += 1
      }
    }
    return nil
  }
}
