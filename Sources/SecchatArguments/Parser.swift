extension ProgramSpec {
  /// Parses the words after the program's name.
  ///
  /// `--opt VALUE`, `--opt=VALUE`, `-oVALUE`, `-o VALUE` and `-ab` are understood, options may stand
  /// anywhere, `--` ends them, and `-` alone is an ordinary word. An option given twice: the last wins.
  package func parse(_ words: [String]) throws(UsageError) -> Invocation {
    var parser = Parser(program: self, words: words[...])
    return try parser.run()
  }
}

private struct Parser {
  let program: ProgramSpec
  var words: ArraySlice<String>
  var command: CommandSpec?
  /// Words that begin a command's name while more of it may follow.
  var prefix: [String] = []
  var options: [String: [String]] = [:]
  var positionals: [String] = []
  var helpAsked = false

  init(program: ProgramSpec, words: ArraySlice<String>) {
    self.program = program
    self.words = words
  }

  mutating func run() throws(UsageError) -> Invocation {
    var optionsEnded = false
    while let word = words.popFirst() {
      if optionsEnded || word == "-" || !word.hasPrefix("-") {
        try take(word)
      } else if word == "--" {
        optionsEnded = true
      } else if word.hasPrefix("--") {
        try long(word.dropFirst(2))
      } else {
        try cluster(word.dropFirst())
      }
      if options["version"] != nil, declares("version") { return .version }
    }
    let wantsHelp = helpAsked || (options["help"] != nil && declares("help"))
    if command == nil, !prefix.isEmpty { try settle(wantsHelp: wantsHelp) }
    if wantsHelp { return .help(command) }
    return .run(try checked())
  }

  // MARK: Words

  mutating func take(_ word: String) throws(UsageError) {
    guard command == nil, !program.commands.isEmpty else {
      positionals.append(word)
      return
    }
    if prefix.isEmpty, word == "help", !helpAsked {
      helpAsked = true
      return
    }
    let longer = prefix + [word]
    let exact = program.command(named: longer.joined(separator: " "))
    let hasMore = program.commands.contains { isStrictPrefix(longer, of: $0.name) }
    if let exact, !hasMore {
      command = exact
    } else if hasMore {
      prefix = longer
    } else if let shorter = program.command(named: prefix.joined(separator: " ")) {
      command = shorter
      positionals.append(word)
    } else {
      throw unknownCommand(longer)
    }
  }

  mutating func settle(wantsHelp: Bool) throws(UsageError) {
    let name = prefix.joined(separator: " ")
    command = program.command(named: name)
    guard command == nil, !wantsHelp else { return }
    let next = members(of: prefix)
    throw UsageError(
      "\(line(name)) needs to know what to do",
      hint: "say \(next.map { line(name + " " + $0) }.joined(separator: ", or "))")
  }

  func isStrictPrefix(_ prefix: [String], of name: String) -> Bool {
    let words = name.split(separator: " ").map(String.init)
    return words.count > prefix.count && words.starts(with: prefix)
  }

  func members(of prefix: [String]) -> [String] {
    program.commands.filter { !$0.isHidden && isStrictPrefix(prefix, of: $0.name) }
      .map { $0.name.split(separator: " ").dropFirst(prefix.count).joined(separator: " ") }
  }

  func unknownCommand(_ words: [String]) -> UsageError {
    let name = words.joined(separator: " ")
    let known = program.commands.filter { !$0.isHidden }.flatMap { [$0.name] + $0.aliases }
    if let meant = nearest(to: name, among: known) {
      return UsageError("there is no command '\(name)'", hint: "did you mean '\(meant)'?")
    }
    return UsageError("there is no command '\(name)'", hint: hint(nil))
  }

  func line(_ command: String) -> String {
    [program.name, command].filter { !$0.isEmpty }.joined(separator: " ")
  }

  // MARK: Options

  func declares(_ name: String) -> Bool { known.contains { $0.name == name } }

  var known: [OptionSpec] { (command?.options ?? []) + program.options }

  mutating func long(_ text: Substring) throws(UsageError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let spec = known.first(where: { $0.name == name }) else { throw unknownOption(name) }
    let attached = parts.count > 1 ? String(parts[1]) : nil
    if spec.valueName == nil, attached != nil {
      throw UsageError("--\(name) takes no value", hint: "leave out what follows the =")
    }
    try record(spec, attached, as: "--\(name)")
  }

  mutating func cluster(_ text: Substring) throws(UsageError) {
    var rest = text
    while let letter = rest.popFirst() {
      guard let spec = known.first(where: { $0.short == letter }) else {
        throw UsageError(
          "there is no option -\(letter)",
          hint: "\(hint(command)), or put -- before words that begin with -")
      }
      guard spec.valueName == nil else {
        let attached = rest.isEmpty ? nil : String(rest.first == "=" ? rest.dropFirst() : rest)
        return try record(spec, attached, as: "-\(letter)")
      }
      try record(spec, nil, as: "-\(letter)")
    }
  }

  mutating func record(_ spec: OptionSpec, _ attached: String?, as shown: String) throws(UsageError) {
    guard let valueName = spec.valueName else {
      options[spec.name, default: []].append("")
      return
    }
    if let attached {
      options[spec.name, default: []].append(attached)
      return
    }
    // A forgotten value must not swallow the option that follows: `--home --json`.
    guard let next = words.first, next == "-" || !next.hasPrefix("--") else {
      throw UsageError("\(shown) needs a value", hint: "write \(shown) \(valueName)")
    }
    words.removeFirst()
    options[spec.name, default: []].append(next)
  }

  func unknownOption(_ name: String) -> UsageError {
    let names = known.filter { !$0.isHidden }.map(\.name)
    let message = "there is no option --\(name)"
    if command == nil, program.commands.contains(where: { $0.options.contains { $0.name == name } }) {
      return UsageError("\(message) before a command", hint: "put it after the command's name")
    }
    if let meant = nearest(to: name, among: names) {
      return UsageError(message, hint: "did you mean --\(meant)?")
    }
    return UsageError(message, hint: hint(command))
  }

  /// An interactive shell has no program name, and its users type `help`.
  func hint(_ command: CommandSpec?) -> String {
    if program.name.isEmpty { return "type help" + (command.map { " \($0.name)" } ?? "") }
    return "see \(line(command?.name ?? "")) --help"
  }

  // MARK: Arguments

  func checked() throws(UsageError) -> ParsedArguments {
    let specs = command?.arguments ?? program.arguments
    let shown = line(command?.name ?? "")
    let parsed = ParsedArguments(
      command: command?.name, commandLine: shown, hint: hint(command), optionSpecs: known,
      argumentSpecs: specs,
      optionValues: options, positionals: positionals)
    let required = specs.count { !$0.isOptional }
    if positionals.count < required { throw parsed.missing(specs[positionals.count].name) }
    let bound = specs.last?.repeats == true ? Int.max : specs.count
    if positionals.count > bound {
      throw UsageError(
        "'\(positionals[bound])' is one argument too many", hint: hint(command))
    }
    return parsed
  }
}
