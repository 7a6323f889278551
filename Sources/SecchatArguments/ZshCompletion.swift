extension ProgramSpec {
  /// One function a level: the program, each group of commands, each command, all through `_arguments`.
  func zshCompletion() -> String {
    var script = "#compdef \(name)\n\n"
    if commands.isEmpty {
      script += leaf(functionName, options: options, arguments: arguments)
    } else {
      script += branch(functionName, prefix: [])
      for group in groups {
        let words = group.split(separator: " ").map(String.init)
        script += branch(function(words), prefix: words)
      }
      for command in shownCommands {
        let words = command.name.split(separator: " ").map(String.init)
        script += leaf(function(words), options: command.options + options, arguments: command.arguments)
      }
    }
    // Sourced, the file registers its function; found through fpath, it runs it.
    return script + """
      if [ "$funcstack[1]" = "\(functionName)" ]; then
        \(functionName) "$@"
      else
        compdef \(functionName) \(name)
      fi

      """
  }

  private func function(_ words: [String]) -> String {
    functionName + "__" + words.joined(separator: "_").split(separator: "-").joined(separator: "_")
  }

  private func branch(_ function: String, prefix: [String]) -> String {
    let own = prefix.isEmpty ? nil : command(named: prefix.joined(separator: " "))
    var script = "\(function)() {\n  local curcontext=\"$curcontext\" state line\n  typeset -A opt_args\n"
    let specs = ((own?.options ?? []) + options).flatMap(optionSpecs) + ["'1: :->command'", "'*:: :->rest'"]
    script += "  _arguments -C " + specs.joined(separator: " \\\n    ") + "\n"
    script += "  case $state in\n  command)\n    local -a names=(\n"
    for (word, summary) in continuations(after: prefix) {
      script += "      \(shellQuoted("\(word):\(summary)"))\n"
    }
    script += "    )\n    _describe command names ;;\n  rest)\n    case $words[1] in\n"
    for (word, _) in continuations(after: prefix) {
      script += "    \(word)) \(target(prefix + [word])) ;;\n"
    }
    return script + "    esac ;;\n  esac\n}\n\n"
  }

  /// The function for a word; an alias leads to its command.
  private func target(_ words: [String]) -> String {
    let name = words.joined(separator: " ")
    if groups.contains(name) { return function(words) }
    let canonical = command(named: name)?.name ?? name
    return function(canonical.split(separator: " ").map(String.init))
  }

  private func leaf(_ function: String, options: [OptionSpec], arguments: [ArgumentSpec]) -> String {
    if commands.isEmpty == false, groups.contains(where: { self.function([$0]) == function }) { return "" }
    var specs = options.flatMap(optionSpecs)
    for (index, argument) in arguments.enumerated() {
      let place = argument.repeats ? "*" : String(index + 1)
      let colon = argument.isOptional && !argument.repeats ? "::" : ":"
      specs.append(shellQuoted("\(place)\(colon)\(plain(argument.name)):\(action(argument.completion))"))
    }
    return "\(function)() {\n  _arguments \(specs.joined(separator: " \\\n    "))\n}\n\n"
  }

  private func optionSpecs(_ option: OptionSpec) -> [String] {
    guard !option.isHidden else { return [] }
    let again = option.repeats ? "*" : ""
    let value = option.valueName.map { ":\(plain($0)):\(action(option.completion))" } ?? ""
    let tail = "[\(plain(option.help))]\(value)"
    var specs = [shellQuoted("\(again)--\(option.name)\(option.valueName == nil ? "" : "=")\(tail)")]
    if let short = option.short {
      specs.append(shellQuoted("\(again)-\(short)\(option.valueName == nil ? "" : "+")\(tail)"))
    }
    return specs
  }

  private func action(_ kind: CompletionKind) -> String {
    switch kind {
    case .none: " "
    case .file: "_files"
    case .directory: "_files -/"
    case .words(let words): "(\(words.joined(separator: " ")))"
    case .output(let command): "{compadd -- ${(f)\"$(\(command) 2>/dev/null)\"}}"
    }
  }

  /// Colons and brackets separate the parts of a specification.
  private func plain(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if "[]:\\".contains(character) { escaped.append("\\") }
      escaped.append(character)
    }
    return escaped
  }
}
