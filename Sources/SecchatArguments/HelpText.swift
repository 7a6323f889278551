extension ProgramSpec {
  /// What `--help` prints; at most 80 columns wide unless a single word is longer.
  package func helpText(for command: CommandSpec? = nil) -> String {
    if let command { return commandHelp(command) }
    var page = Page()
    page.paragraph(summary)
    page.usage(usageLines(nil))
    page.discussion(discussion)
    page.section("Arguments", arguments.map { ($0.name, $0.help) })
    page.section("Commands", commands.filter { !$0.isHidden }.map { ($0.name, $0.summary) })
    page.section("Options", optionRows(options))
    page.examples(examples)
    page.section("Exit status", exitStatuses.map { (String($0.status), $0.meaning) })
    page.section("Environment", environment.map { ($0.name, $0.help) })
    if !commands.isEmpty {
      let prefix = name.isEmpty ? "" : name + " "
      page.paragraph("'\(prefix)help COMMAND' tells more about one command.")
    }
    return page.text
  }

  private func commandHelp(_ command: CommandSpec) -> String {
    var page = Page()
    page.paragraph(command.summary)
    page.usage(usageLines(command))
    if !command.aliases.isEmpty { page.paragraph("Also: " + command.aliases.joined(separator: ", ")) }
    page.discussion(command.discussion)
    page.section("Arguments", command.arguments.map { ($0.name, $0.help) })
    page.section("Options", optionRows(command.options))
    page.section("Global options", optionRows(options))
    page.examples(command.examples)
    page.section("Exit status", command.exitStatuses.map { (String($0.status), $0.meaning) })
    return page.text
  }

  /// The usage line, in words that are never broken.
  func usageLines(_ command: CommandSpec?) -> [String] {
    var parts = name.isEmpty ? [] : [name]
    if let command {
      parts.append(command.name)
      parts += usage(command.options) + command.arguments.map(usage)
    } else if commands.isEmpty {
      parts += usage(options) + arguments.map(usage)
    } else {
      if !options.isEmpty { parts.append("[OPTIONS]") }
      parts += ["COMMAND", "…"]
    }
    return parts
  }

  private func usage(_ options: [OptionSpec]) -> [String] {
    options.filter { !$0.isHidden }.map { option in
      let value = option.valueName.map { " \($0)" } ?? ""
      return "[--\(option.name)\(value)]\(option.repeats ? "…" : "")"
    }
  }

  private func usage(_ argument: ArgumentSpec) -> String {
    let name = argument.name + (argument.repeats ? "…" : "")
    return argument.isOptional ? "[\(name)]" : name
  }
}

func optionRows(_ options: [OptionSpec]) -> [(String, String)] {
  options.filter { !$0.isHidden }.map { option in
    let short = option.short.map { "-\($0), " } ?? ""
    let value = option.valueName.map { " \($0)" } ?? ""
    var help = option.help
    if let text = option.defaultText { help += " (default: \(text))" }
    return ("\(short)--\(option.name)\(value)", help)
  }
}

/// Lays paragraphs and tables out within 80 columns.
private struct Page {
  static let width = 80
  static let widestTerm = 26
  private(set) var text = ""

  mutating func paragraph(_ content: String, indent: Int = 0) {
    guard !content.isEmpty else { return }
    separate()
    for line in wrap(content.split(separator: " ").map(String.init), Self.width - indent) {
      text += spaces(indent) + line + "\n"
    }
  }

  mutating func usage(_ words: [String]) {
    separate()
    // What wraps stands under what follows the program's name.
    let lead = "Usage: "
    let indent = lead.count + min((words.first?.count ?? 0) + 1, 20)
    let lines = wrap(words, Self.width - indent)
    text += lead + (lines.first ?? "") + "\n"
    for line in lines.dropFirst() { text += spaces(indent) + line + "\n" }
  }

  mutating func discussion(_ content: String) {
    for part in paragraphs(content) { paragraph(part) }
  }

  mutating func section(_ title: String, _ rows: [(String, String)]) {
    guard !rows.isEmpty else { return }
    separate()
    text += "\(title):\n"
    let widest = rows.map(\.0.count).filter { $0 <= Self.widestTerm }.max() ?? Self.widestTerm
    let column = widest + 6
    for (term, help) in rows {
      let lines = wrap(help.split(separator: " ").map(String.init), Self.width - column)
      var first = "  " + term
      if term.count > widest {
        text += first + "\n"
        first = ""
      }
      for (index, line) in lines.enumerated() {
        let lead = index == 0 ? first : ""
        text += lead + spaces(column - lead.count) + line + "\n"
      }
      if lines.isEmpty, !first.isEmpty { text += first + "\n" }
    }
  }

  mutating func examples(_ examples: [ExampleSpec]) {
    guard !examples.isEmpty else { return }
    separate()
    text += examples.count == 1 ? "Example:\n" : "Examples:\n"
    for example in examples {
      text += "  \(example.command)\n"
      for line in wrap(example.explanation.split(separator: " ").map(String.init), Self.width - 6) {
        text += spaces(6) + line + "\n"
      }
    }
  }

  private mutating func separate() {
    if !text.isEmpty { text += "\n" }
  }
}

func paragraphs(_ content: String) -> [String] {
  // By lines: splitting at a longer string would link regular expressions in, a megabyte of each program.
  content.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "")
    .map { $0.joined(separator: " ") }
}

private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

private func wrap(_ words: [String], _ width: Int) -> [String] {
  var lines: [String] = []
  for word in words {
    if let last = lines.last, last.count + 1 + word.count <= width {
      lines[lines.count - 1] = last + " " + word
    } else {
      lines.append(word)
    }
  }
  return lines
}
