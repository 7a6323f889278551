extension ProgramSpec {
  /// One `complete` line for each option, command and argument.
  func fishCompletion() -> String {
    var lines = ["# fish completion for \(name)", "complete -c \(name) -f"]
    lines += options.compactMap { line($0, condition: nil) }
    if commands.isEmpty { lines += arguments.compactMap { line($0, condition: nil) } }
    for (word, summary) in continuations(after: []) {
      lines.append(
        "complete -c \(name) -n __fish_use_subcommand -a \(word)" + description(summary))
    }
    for group in groups {
      let prefix = group.split(separator: " ").map(String.init)
      let next = continuations(after: prefix)
      let seen = next.map(\.word).joined(separator: " ")
      let condition = conditions(prefix) + "; and not __fish_seen_subcommand_from \(seen)"
      for (word, summary) in next {
        lines.append(
          "complete -c \(name) -n \(shellQuoted(condition)) -a \(word)" + description(summary))
      }
    }
    for command in shownCommands {
      for spelling in [command.name] + command.aliases {
        let condition = conditions(spelling.split(separator: " ").map(String.init))
        lines += command.options.compactMap { line($0, condition: condition) }
        lines += command.arguments.compactMap { line($0, condition: condition) }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func conditions(_ words: [String]) -> String {
    words.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
  }

  private func line(_ option: OptionSpec, condition: String?) -> String? {
    guard !option.isHidden else { return nil }
    var text = "complete -c \(name)" + (condition.map { " -n \(shellQuoted($0))" } ?? "")
    text += " -l \(option.name)" + (option.short.map { " -s \($0)" } ?? "")
    if option.valueName != nil { text += " -r" + (candidates(option.completion) ?? " -f") }
    return text + description(option.help)
  }

  private func line(_ argument: ArgumentSpec, condition: String?) -> String? {
    guard let candidates = candidates(argument.completion) else { return nil }
    let when = condition.map { " -n \(shellQuoted($0))" } ?? ""
    return "complete -c \(name)\(when)\(candidates)" + description(argument.help)
  }

  private func candidates(_ kind: CompletionKind) -> String? {
    switch kind {
    case .none: nil
    case .file: " -F"
    case .directory: " -f -a '(__fish_complete_directories)'"
    case .words(let words): " -f -a \(shellQuoted(words.joined(separator: " ")))"
    case .output(let command): " -f -a \(shellQuoted("(\(command) 2>/dev/null)"))"
    }
  }

  /// In single quotes fish reads a backslash before a quote or a backslash only.
  private func description(_ text: String) -> String {
    guard !text.isEmpty else { return "" }
    let escaped = text.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
    return " -d '\(String(escaped))'"
  }
}
