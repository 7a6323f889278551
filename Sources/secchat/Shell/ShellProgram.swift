import SecchatArguments
import SecchatNode

/// One command of the shell.
struct ShellCommand: Sendable {
  typealias Run = @Sendable (Shell, Session, ParsedArguments) async throws(NodeError) -> ExitStatus

  let spec: CommandSpec
  /// Whether the line editor must wait because the command asks something itself.
  var asks = false
  /// Whether other commands may go on meanwhile.
  var isLong = false
  var run: Run

  init(_ spec: CommandSpec, asks: Bool = false, run: @escaping Run) {
    self.spec = spec
    self.asks = asks
    self.run = run
  }

  /// A command of the program, without its examples, which are written for another shell.
  init(_ command: Command, asks: Bool = false, isLong: Bool = false) {
    var spec = command.spec
    spec.examples = []
    self.spec = spec
    self.asks = asks
    self.isLong = isLong
    run = { _, session, arguments async throws(NodeError) in try await command.run(session, arguments) }
  }
}

/// What the shell understands.
enum ShellProgram {
  static let spec = ProgramSpec(
    name: "", version: Release.version,
    summary: "Commands of the shell. Ctrl-D or quit leaves it.",
    commands: commands.map(\.spec))

  static let commands: [ShellCommand] = [
    ShellCommand(.list), ShellCommand(.lookup), chat, ShellCommand(.history), ShellCommand(.outbox),
    ShellCommand(.send, isLong: true), ShellCommand(.transfers), accept, refuse, ShellCommand(.verify),
    ShellCommand(.trust), whoami, register, login,
    ShellCommand(.logout), quit,
  ]

  static func command(named name: String?) -> ShellCommand? { commands.first { $0.spec.name == name } }

  private static let chat = ShellCommand(
    CommandSpec(
      "chat", summary: "Send a message; without TEXT every line goes to USER until Ctrl-D",
      discussion: "TEXT is the rest of the line, just as it stands.",
      arguments: [.user, ArgumentSpec("TEXT", help: "the message", optional: true)])
  ) { shell, session, arguments async throws(NodeError) in
    let chat = Chat(user: arguments.argument("USER") ?? "")
    if let text = arguments.argument("TEXT") { return try await chat.send(text, in: session) }
    return try await shell.converse(chat, in: session)
  }

  private static let accept = answer("accept", summary: "Take the files that a peer offers", accept: true)
  private static let refuse = answer("refuse", summary: "Refuse the files that a peer offers", accept: false)

  private static func answer(_ name: String, summary: String, accept: Bool) -> ShellCommand {
    ShellCommand(
      CommandSpec(
        name, summary: summary,
        arguments: [
          ArgumentSpec(
            "ID", help: "which offer, by its first digits or its sender's name; needed when several wait",
            optional: true)
        ])
    ) { shell, session, arguments async throws(NodeError) in
      let id = try shell.state.offers.find(arguments.argument("ID"))
      // Whatever comes of it, it waits no longer.
      defer { shell.state.offers.remove(id) }
      return try await session.perform(.answer(id: id, accept: accept))
    }
  }

  private static let whoami = ShellCommand(
    CommandSpec("whoami", aliases: ["status"], summary: "Show who and what you are here")
  ) { _, session, _ async throws(NodeError) in
    try await session.perform(.status)
  }

  private static let register: ShellCommand = {
    var command = ShellCommand(.register, asks: true)
    let claim = command.run
    command.run = { shell, session, arguments async throws(NodeError) in
      let status = try await claim(shell, session, arguments)
      // The node goes online by itself; the next prompt is to say so.
      return status == .done ? try await shell.logIn(session) : status
    }
    return command
  }()

  private static let login = ShellCommand(
    CommandSpec("login", summary: "Go online, after logout")
  ) { shell, session, _ async throws(NodeError) in
    try await shell.logIn(session)
  }

  /// Known here for help and completion; the shell acts on it.
  static let quit = ShellCommand(
    CommandSpec("quit", aliases: ["exit"], summary: "Leave the shell")
  ) { _, _, _ async throws(NodeError) in
    .done
  }
}
