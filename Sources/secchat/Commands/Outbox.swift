import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let outbox = Command(
    CommandSpec(
      "outbox",
      summary: "Show the messages that wait, or take one back",
      discussion: """
        Without an action, shows every message that its receiver has not confirmed yet, in the order in which they \
        go out. 'cancel' takes back one that has not left: ID is its id, or the first digits of it.
        """,
      arguments: [
        ArgumentSpec("ACTION", help: "cancel", optional: true),
        ArgumentSpec("ID", help: "of the message", optional: true),
      ],
      examples: [
        ExampleSpec("secchat outbox", "What waits, and for whom."),
        ExampleSpec("secchat outbox cancel 10b4b784", "Does not send that one."),
      ])
  ) { session, arguments async throws(NodeError) in
    guard let action = arguments.argument("ACTION") else { return try await show(in: session) }
    guard action == "cancel", let digits = arguments.argument("ID"), !digits.isEmpty else {
      throw NodeError(.usage, "outbox knows the action cancel, with an ID", hint: "see secchat outbox --help")
    }
    let (waiting, status) = try await waiting(in: session)
    guard status == .done else { return status }
    let matching = waiting.filter { $0.id.hasPrefix(digits.lowercased()) }
    guard let message = matching.first, matching.count == 1 else {
      throw NodeError(
        .usage, matching.isEmpty ? "no message with that id waits" : "more than one id begins so",
        hint: "`secchat outbox` lists them")
    }
    let outcome = try await session.perform(.cancel(id: message.id))
    if outcome == .done { session.output.say("taken back") }
    return outcome
  }

  private static func show(in session: Session) async throws(NodeError) -> ExitStatus {
    let output = session.output
    guard !output.json else { return try await session.perform(.outbox) }
    let (waiting, status) = try await waiting(in: session)
    for message in waiting {
      guard let text = output.text(.message(message)) else { continue }
      output.say("\(String(message.id.prefix(shownDigits)), .faint)  " + text)
    }
    if waiting.isEmpty, status == .done { output.say("nothing waits") }
    return status
  }

  /// Enough of an id to tell a few messages apart.
  private static let shownDigits = 8

  private static func waiting(
    in session: Session
  ) async throws(NodeError) -> ([Event.Message], ExitStatus) {
    let output = session.output
    let found = Locked<[Event.Message]>([])
    let status = try await session.perform(.outbox) { event in
      if case .message(let message) = event {
        found.withLock { $0.append(message) }
      } else {
        output.show(event)
      }
    }
    return (found.withLock { $0 }, status)
  }
}
