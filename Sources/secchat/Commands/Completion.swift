import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let completion = Command(
    CommandSpec(
      "completion",
      summary: "Print a completion script for a shell",
      arguments: [
        ArgumentSpec(
          "SHELL", help: "bash, zsh or fish",
          completion: .words(CompletionShell.allCases.map(\.rawValue)))
      ],
      examples: [ExampleSpec("source <(secchat completion bash)", "For this session of bash.")])
  ) { session, arguments async throws(NodeError) in
    let shell = try checked { () throws(UsageError) in
      try arguments.argument("SHELL", as: .choice(CompletionShell.self))
    }
    guard let shell else { return .usage }
    session.output.terminal.emit(bytes: Array(Program.spec.completionScript(for: shell).utf8))
    return .done
  }

  static let man = Command(
    CommandSpec(
      "man",
      summary: "Print the manual page",
      examples: [ExampleSpec("secchat man | man -l -", "Reads it.")])
  ) { session, _ async throws(NodeError) in
    session.output.terminal.emit(bytes: Array(Program.spec.manPage(date: Release.date).utf8))
    return .done
  }
}
