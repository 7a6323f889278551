/// A shell that completion scripts are written for.
package enum CompletionShell: String, Sendable, CaseIterable {
  case bash
  case zsh
  case fish
}

extension ProgramSpec {
  /// A script for the shell, to be sourced or put where that shell looks for completions.
  package func completionScript(for shell: CompletionShell) -> String {
    switch shell {
    case .bash: bashCompletion()
    case .zsh: zshCompletion()
    case .fish: fishCompletion()
    }
  }

  var shownCommands: [CommandSpec] { commands.filter { !$0.isHidden } }

  /// The program's name as part of a shell function's name.
  var functionName: String {
    "_" + String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  /// What may follow the first words of a command's name, once each, with a summary where it is a command.
  func continuations(after prefix: [String]) -> [(word: String, summary: String)] {
    var found: [(word: String, summary: String)] = []
    for command in shownCommands {
      for name in [command.name] + command.aliases {
        let words = name.split(separator: " ").map(String.init)
        guard words.count > prefix.count, words.starts(with: prefix) else { continue }
        let word = words[prefix.count]
        let summary = words.count == prefix.count + 1 ? command.summary : ""
        if let index = found.firstIndex(where: { $0.word == word }) {
          if found[index].summary.isEmpty { found[index].summary = summary }
        } else {
          found.append((word, summary))
        }
      }
    }
    return found
  }

  /// The first words that several commands share: `key` of `key show`.
  var groups: [String] {
    var found: [String] = []
    for command in shownCommands {
      let words = command.name.split(separator: " ")
      guard words.count > 1 else { continue }
      let group = words.dropLast().joined(separator: " ")
      if !found.contains(group) { found.append(group) }
    }
    return found
  }
}

/// A word for a POSIX shell, in single quotes.
func shellQuoted(_ text: String) -> String {
  "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
