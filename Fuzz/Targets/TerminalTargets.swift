internal import SecchatTerminal

extension FuzzTarget {
  static let terminal: [FuzzTarget] = [
    FuzzTarget(
      "safe-text",
      texts: [
        "plain", "\u{1B}[31mred\u{1B}]0;title\u{07}", "a\u{202E}b\u{200D}c",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{1F469}\u{200D}\u{1F680} 漢字\r\nnext\tcolumn",
      ]
    ) { text in
      let line = SafeText(line: text).plain
      let body = SafeText(body: text, indent: 2).plain
      let name = SafeText(name: text)
      guard isHarmless(line), isHarmless(name.plain) else { return .broken("what steers a terminal is left") }
      guard isHarmless(body.filter { $0 != "\n" }) else { return .broken("what steers a terminal is left") }
      guard name.displayWidth <= 64 else { return .broken("a name wider than it may be") }
      return .same(SafeText(line: line).plain, as: line)
    }
  ]

  private static func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      let properties = scalar.properties
      if scalar.value == 0x200C || scalar.value == 0x200D { return true }
      if properties.isBidiControl { return false }
      switch properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
      default: return true
      }
    }
  }
}
