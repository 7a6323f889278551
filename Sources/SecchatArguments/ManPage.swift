extension ProgramSpec {
  /// The manual page of the program with all its commands, in the man macros of roff.
  ///
  /// - Parameter date: as the page's foot shows it, such as `2025-06-01`.
  package func manPage(section: Int = 1, date: String) -> String {
    var page = Roff()
    page.macro("TH", name.uppercased(), String(section), date, "\(name) \(version)", "User Commands")
    page.heading("NAME")
    page.text("\(name) - \(lowercasedFirst(summary))")
    page.heading("SYNOPSIS")
    page.synopsis(usageLines(nil))
    page.heading("DESCRIPTION")
    for part in paragraphs(discussion.isEmpty ? summary : discussion) { page.paragraph(part) }
    page.terms("ARGUMENTS", arguments.map { ($0.name, $0.help) })
    page.terms("OPTIONS", optionRows(options))
    let shown = commands.filter { !$0.isHidden }
    if !shown.isEmpty { page.heading("COMMANDS") }
    for command in shown { describe(command, on: &page) }
    page.examples(examples)
    page.terms("EXIT STATUS", exitStatuses.map { (String($0.status), $0.meaning) })
    page.terms("ENVIRONMENT", environment.map { ($0.name, $0.help) })
    return page.source
  }

  private func describe(_ command: CommandSpec, on page: inout Roff) {
    page.subheading(command.name)
    page.synopsis(usageLines(command))
    page.paragraph(command.summary + ".")
    for part in paragraphs(command.discussion) { page.paragraph(part) }
    if !command.aliases.isEmpty { page.paragraph("Also: " + command.aliases.joined(separator: ", ") + ".") }
    for argument in command.arguments { page.term(argument.name, argument.help) }
    for (term, help) in optionRows(command.options) { page.term(term, help) }
    for example in command.examples { page.example(example) }
    for status in command.exitStatuses { page.term("exit \(status.status)", status.meaning) }
  }

  private func lowercasedFirst(_ text: String) -> String {
    text.prefix(1).lowercased() + text.dropFirst()
  }
}

/// Writes roff; whatever is not a macro of ours is escaped.
private struct Roff {
  private(set) var source = ""

  mutating func macro(_ name: String, _ arguments: String...) {
    let quoted = arguments.map { "\"\(escape($0).split(separator: "\"").joined(separator: "\\(dq"))\"" }
    source += ([".\(name)"] + quoted).joined(separator: " ") + "\n"
  }

  mutating func heading(_ title: String) { macro("SH", title) }
  mutating func subheading(_ title: String) { macro("SS", title) }

  mutating func text(_ content: String) {
    let line = escape(content)
    // A period or an apostrophe at the start of a line would be a request.
    source += (line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" : "") + line + "\n"
  }

  mutating func paragraph(_ content: String) {
    guard !content.isEmpty else { return }
    source += ".PP\n"
    text(content)
  }

  mutating func synopsis(_ words: [String]) {
    source += ".PP\n"
    if let name = words.first { source += "\\fB\(escape(name))\\fR\n" }
    for word in words.dropFirst() { text(word) }
  }

  mutating func term(_ term: String, _ help: String) {
    source += ".TP\n\\fB\(escape(term))\\fR\n"
    text(help)
  }

  mutating func terms(_ title: String, _ rows: [(String, String)]) {
    guard !rows.isEmpty else { return }
    heading(title)
    for (name, help) in rows { term(name, help) }
  }

  mutating func example(_ example: ExampleSpec) {
    source += ".PP\n.nf\n"
    text("    " + example.command)
    source += ".fi\n"
    text(example.explanation)
  }

  mutating func examples(_ examples: [ExampleSpec]) {
    guard !examples.isEmpty else { return }
    heading("EXAMPLES")
    for item in examples { example(item) }
  }

  private func escape(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "\\": escaped += "\\(rs"
      case "-": escaped += "\\-"
      case "\n": escaped += " "
      case "…": escaped += "..."
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
