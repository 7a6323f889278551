import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let chat = Command(
    CommandSpec(
      "chat",
      summary: "Send a message and wait until it is received",
      discussion: """
        TEXT may be several words, which are joined by blanks. A single - takes the messages from standard input, \
        a message a line, empty lines left out; a message that fails does not stop those after it, and the exit \
        status is that of the first that failed. Without TEXT a conversation with USER opens on a terminal \
        (Ctrl-D ends it); anywhere else standard input is read as with -.

        Who is offline gets the message when both are online: it is kept, sealed, and the daemon or the shell sends it \
        ('secchat outbox' shows what waits). Known peers are reached while the registry is down.
        """,
      arguments: [
        .user,
        ArgumentSpec("TEXT", help: "the message, or - for standard input", optional: true, repeating: true),
      ],
      options: [
        .value("timeout", "TIME", help: "how long to wait for the peer", default: "10s"),
        .value(
          "wait", "STATE", help: "wait until it is queued, sent, delivered or read", default: "delivered"),
        .value(
          "expires", "TIME", help: "both sides forget the message after this time; 0 for never"),
      ],
      examples: [
        ExampleSpec("secchat chat bob 'Lunch at noon?'", "One message."),
        ExampleSpec("uptime | secchat chat bob -", "From another program."),
        ExampleSpec("secchat chat bob -- -v is the option", "A message that begins with a dash."),
      ],
      exitStatuses: [
        ExitStatusSpec(0, "received, or in the state that --wait names"),
        ExitStatusSpec(1, "there is no such user"),
        ExitStatusSpec(4, "the peer's key has changed: nothing was sent"),
        ExitStatusSpec(6, "the peer is offline or did not answer in time: the message waits"),
      ])
  ) { session, arguments async throws(NodeError) in
    let user = arguments.argument("USER") ?? ""
    let timeout = try checked { () throws(UsageError) in try arguments.value("timeout", as: .duration) }
    var chat = Chat(user: user, timeout: timeout ?? Chat.defaultTimeout)
    if let state = arguments.value("wait") {
      guard let state = DeliveryState(rawValue: state) else {
        throw NodeError(.usage, "there is no state \(state)", hint: "queued, sent, delivered or read")
      }
      chat.wait = state
    }
    if let time = try checked({ () throws(UsageError) in try arguments.value("expires", as: .duration) }) {
      chat.expires = UInt32(clamping: time.components.seconds)
    }
    let words = arguments.arguments("TEXT")
    if words.isEmpty, !session.output.json {
      let editor = try LineEditor.opened(
        LineEditor.Configuration(remembers: { !$0.isEmpty }), session.output.terminal)
      if editor.isInteractive { return try await Conversation(chat, session, editor).runAlone() }
      return try await chat.sendLines(of: editor, in: session)
    }
    if words.isEmpty || words == ["-"] {
      let editor = try LineEditor.opened(LineEditor.Configuration(), .plain)
      return try await chat.sendLines(of: editor, in: session)
    }
    return try await chat.send(words.joined(separator: " "), in: session)
  }
}

/// Messages to one user.
struct Chat: Sendable {
  static let defaultTimeout = Duration.seconds(10)
  /// Bytes of UTF-8 in one message.
  static let maximumText = 32_768

  let user: String
  var timeout = Self.defaultTimeout
  var wait = DeliveryState.delivered
  /// Seconds; nil for what the conversation has.
  var expires: UInt32?

  /// The user's name as events have it: within the profile's registry, in small letters.
  var name: String { user.prefix { $0 != "@" }.lowercased() }

  /// Sends one message and shows what became of it.
  func send(_ text: String, in session: Session) async throws(NodeError) -> ExitStatus {
    let output = session.output
    return try await send(text, in: session) { output.show($0) }
  }

  /// Sends one message.
  func send(
    _ text: String, in session: Session, onEvent: @escaping @Sendable (Event) -> Void
  ) async throws(NodeError) -> ExitStatus {
    guard !text.allSatisfy(\.isWhitespace) else {
      throw NodeError(.usage, "there is nothing to send", hint: "write the message after the name")
    }
    guard text.utf8.count <= Self.maximumText else {
      throw NodeError(
        .usage, "the message has \(text.utf8.count) bytes, more than \(Self.maximumText)",
        hint: "send it as a file, or in parts")
    }
    let seconds = Double(timeout.components.seconds) + Double(timeout.components.attoseconds) / 1e18
    return try await session.perform(
      .chat(user: user, id: randomID(), text: text, timeout: seconds, wait: wait, expires: expires),
      onEvent: onEvent)
  }

  /// Sends a message a line.
  ///
  /// - Returns: the status of the first that failed.
  func sendLines(of editor: LineEditor, in session: Session) async throws(NodeError) -> ExitStatus {
    defer { editor.close() }
    // Whatever would keep all of them from going is said before the first is read.
    _ = try await session.connection()
    var first = ExitStatus.done
    while true {
      var status = ExitStatus.done
      do throws(LineError) {
        guard let line = try await editor.nextLine() else { return first }
        guard !line.allSatisfy(\.isWhitespace) else { continue }
        do throws(NodeError) {
          status = try await send(line, in: session)
        } catch {
          session.output.fail(error)
          status = error.status
        }
      } catch {
        guard error.mayGoOn else { throw error.asNodeError }
        session.output.fail(error.asNodeError)
        status = .usage
      }
      if first == .done { first = status }
    }
  }
}

/// 32 hexadecimal digits that nobody has used before.
func randomID() -> String {
  let digits = Array("0123456789abcdef")
  var generator = SystemRandomNumberGenerator()
  return String((0..<32).map { _ in digits[Int(generator.next() & 15)] })
}

extension LineError {
  /// Whether the lines after this one can be read.
  var mayGoOn: Bool { self == .tooLong || self == .notText }

  var asNodeError: NodeError {
    switch self {
    case .tooLong:
      NodeError(
        .usage, "a line is longer than \(LineEditor.maximumLineBytes) bytes",
        hint: "send it as a file, or in parts")
    case .notText:
      NodeError(.usage, "a line is not valid UTF-8", hint: "it was left out; send such data as a file")
    case .busy: NodeError(.internal, "two readers of one input")
    case .failed(let number):
      NodeError(.usage, "standard input cannot be read", hint: systemMessage(number))
    }
  }
}

extension LineEditor {
  /// The editor, or the error for its user.
  static func opened(
    _ configuration: Configuration, _ terminal: Terminal
  ) throws(NodeError) -> LineEditor {
    do { return try LineEditor(configuration, terminal: terminal) } catch { throw error.asNodeError }
  }
}

extension Terminal {
  /// One that never edits lines, whatever standard input is.
  static var plain: Terminal { Terminal(environment: { $0 == "TERM" ? "dumb" : environmentVariable($0) }) }
}
