/// Text that may be shown on a terminal: literals of ours, and text from outside made harmless.
///
/// In an interpolation a `String` counts as text from outside. Styles are kept apart from the text and
/// become escape sequences only where the output has colours.
package struct SafeText: Sendable, Equatable {
  struct Run: Sendable, Equatable {
    var text: String
    var style: Style?
  }

  private(set) var runs: [Run] = []

  package init() {}

  private init(trusted text: String, style: Style? = nil) {
    if !text.isEmpty { runs = [Run(text: text, style: style)] }
  }

  /// Text on one line: line breaks become spaces, what could move the cursor is gone.
  package init(line text: String, style: Style? = nil) {
    self.init(trusted: Sanitizer(newlines: .replace(with: " ")).clean(text), style: style)
  }

  /// A message body: line breaks stay, and lines after the first begin with `indent` blanks.
  package init(body text: String, indent: Int = 0, style: Style? = nil) {
    let lines = Sanitizer(newlines: .keep).clean(text)
      .split(separator: "\n", omittingEmptySubsequences: false)
    self.init(trusted: lines.joined(separator: "\n" + String(repeating: " ", count: indent)), style: style)
  }

  /// A file or user name: one line, blanks of every kind become plain ones, what is taken out leaves a
  /// visible `�` (so no two names look alike by omission), and the middle of a long name is left out.
  package init(name: String, columns: Int = 64, style: Style? = nil) {
    var sanitizer = Sanitizer(newlines: .replace(with: "\u{FFFD}"))
    sanitizer.replacement = "\u{FFFD}"
    sanitizer.foldsSpaces = true
    self.init(trusted: shorten(sanitizer.clean(name), toColumns: columns), style: style)
  }

  /// The text without styles.
  package var plain: String { runs.map(\.text).joined() }

  package var isEmpty: Bool { runs.isEmpty }

  /// Columns of the widest line.
  package var displayWidth: Int {
    plain.split(separator: "\n").map { SecchatTerminal.displayWidth($0) }.max() ?? 0
  }

  /// The same text in another style.
  package func styled(_ style: Style?) -> SafeText {
    var copy = self
    for index in copy.runs.indices { copy.runs[index].style = style }
    return copy
  }

  /// Blanks up to a width, so that columns stand under each other.
  package func padded(toColumns columns: Int) -> SafeText {
    self + SafeText(trusted: String(repeating: " ", count: max(0, columns - displayWidth)))
  }

  package static func + (left: SafeText, right: SafeText) -> SafeText {
    var sum = left
    sum.runs += right.runs
    return sum
  }

  package static func += (left: inout SafeText, right: SafeText) { left.runs += right.runs }

  /// Rows for a terminal of so many columns; those that go on with a line begin with `indent` blanks.
  package func wrapped(toColumns columns: Int, indent: Int) -> SafeText {
    var breaker = RowBreaker(columns: columns, indent: indent)
    var copy = self
    for index in copy.runs.indices { copy.runs[index].text = breaker.broken(copy.runs[index].text) }
    return copy
  }

  /// The bytes to write: with escape sequences for the styles, or without any.
  package func rendered(colour: Bool) -> String {
    guard colour else { return plain }
    return runs.map { run in
      guard let style = run.style else { return run.text }
      return "\u{1B}[\(style.parameters)m\(run.text)\u{1B}[0m"
    }.joined()
  }
}

extension SafeText: ExpressibleByStringInterpolation {
  /// Literal text is ours and stands as written.
  package init(stringLiteral value: StaticString) { self.init(trusted: value.description) }

  package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate(set) var text = SafeText()

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: StaticString) {
      text += SafeText(trusted: literal.description)
    }

    /// Text from outside, made one harmless line.
    package mutating func appendInterpolation(_ outside: some StringProtocol, _ style: Style? = nil) {
      text += SafeText(line: String(outside), style: style)
    }

    package mutating func appendInterpolation(name: String, _ style: Style? = nil) {
      text += SafeText(name: name, style: style)
    }

    package mutating func appendInterpolation(body: String, indent: Int = 0) {
      text += SafeText(body: body, indent: indent)
    }

    package mutating func appendInterpolation(_ safe: SafeText) { text += safe }

    package mutating func appendInterpolation(_ safe: SafeText, _ style: Style) {
      text += safe.styled(style)
    }

    package mutating func appendInterpolation(_ number: some BinaryInteger) {
      text += SafeText(trusted: String(number))
    }
  }
}
