extension ProgramSpec {
  /// Walks the words before the cursor to find the command and the place among its arguments.
  func bashCompletion() -> String {
    let function = functionName
    let valued = allOptions.filter { $0.valueName != nil }.flatMap(spellings)
    var script = """
      # bash completion for \(name)
      \(function)() {
        local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
        local command="" place=0 word i
        local IFS=$' \\t\\n'
        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
          word="${COMP_WORDS[i]}"
          case "$word" in

      """
    if !valued.isEmpty { script += "      \(unique(valued).joined(separator: "|"))) ((i++)); continue ;;\n" }
    script += "      -?*) continue ;;\n    esac\n"
    if !commands.isEmpty {
      script += "    if ((place == 0)); then\n      case \"${command:+$command }$word\" in\n"
      for group in groups where command(named: group) == nil {
        script += "        \(shellQuoted(group))) command=\(shellQuoted(group)); continue ;;\n"
      }
      for command in shownCommands {
        let names = ([command.name] + command.aliases).map(shellQuoted).joined(separator: "|")
        script += "        \(names)) command=\(shellQuoted(command.name)); continue ;;\n"
      }
      script += "      esac\n    fi\n"
    }
    script += "    ((place++))\n  done\n"
    script += valueCases() + "  if [[ \"$cur\" == -* ]]; then\n" + optionCases() + "    return\n  fi\n"
    script += argumentCases() + "}\ncomplete -F \(function) \(name)\n"
    return script
  }

  private var allOptions: [OptionSpec] {
    (options + shownCommands.flatMap(\.options)).filter { !$0.isHidden }
  }

  private func spellings(_ option: OptionSpec) -> [String] {
    ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
  }

  private func valueCases() -> String {
    var cases = ""
    for command in shownCommands {
      for option in command.options where option.valueName != nil && !option.isHidden {
        cases += valueCase(option, command: shellQuoted(command.name))
      }
    }
    for option in options where option.valueName != nil && !option.isHidden {
      cases += valueCase(option, command: "*")
    }
    return cases.isEmpty ? "" : "  case \"$command:$prev\" in\n\(cases)  esac\n"
  }

  private func valueCase(_ option: OptionSpec, command: String) -> String {
    let patterns = spellings(option).map { "\(command):\($0)" }.joined(separator: "|")
    return "    \(patterns)) \(reply(option.completion)); return ;;\n"
  }

  private func optionCases() -> String {
    let shared = options.filter { !$0.isHidden }.map { "--\($0.name)" }
    var cases = ""
    for command in shownCommands where !command.options.isEmpty {
      let own = command.options.filter { !$0.isHidden }.map { "--\($0.name)" }
      cases += "      \(shellQuoted(command.name))) \(reply(.words(own + shared))) ;;\n"
    }
    return "    case \"$command\" in\n\(cases)      *) \(reply(.words(shared))) ;;\n    esac\n"
  }

  private func argumentCases() -> String {
    var cases = ""
    if commands.isEmpty {
      cases += places(arguments, of: "")
    } else {
      let first = continuations(after: []).map(\.word) + ["help"]
      cases += "    :0) \(reply(.words(first))) ;;\n"
      cases += "    :*) \(reply(.words(first))) ;;\n"
      for group in groups {
        let next = continuations(after: group.split(separator: " ").map(String.init)).map(\.word)
        cases += "    \(shellQuoted(group)):0) \(reply(.words(next))) ;;\n"
      }
      for command in shownCommands { cases += places(command.arguments, of: shellQuoted(command.name)) }
    }
    return cases.isEmpty ? "" : "  case \"$command:$place\" in\n\(cases)  esac\n"
  }

  private func places(_ arguments: [ArgumentSpec], of command: String) -> String {
    var cases = ""
    for (index, argument) in arguments.enumerated() where argument.completion != .none {
      cases += "    \(command):\(argument.repeats ? "*" : String(index))) \(reply(argument.completion)) ;;\n"
    }
    return cases
  }

  private func reply(_ kind: CompletionKind) -> String {
    switch kind {
    case .none: "COMPREPLY=()"
    case .file: "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
    case .directory: "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")"
    case .words(let words):
      "mapfile -t COMPREPLY < <(compgen -W \(shellQuoted(words.joined(separator: " "))) -- \"$cur\")"
    case .output(let command):
      "mapfile -t COMPREPLY < <(compgen -W \"$(\(command) 2>/dev/null)\" -- \"$cur\")"
    }
  }

  private func unique(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
  }
}
