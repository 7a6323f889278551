import SecchatArguments
import SecchatNode
import SecchatTerminal
import Synchronization

extension Command {
  static let history = Command(
    CommandSpec(
      "history",
      summary: "Read, search, export or delete past messages",
      discussion: """
        'history' and 'history USER' show past messages in both directions, the oldest first. The search regards \
        neither case nor accents.

        'history export [USER]' writes them as JSON lines, in plain text: whoever can read where they go can read \
        them. 'history delete USER' destroys the key of the conversation and then its messages; what waits in the \
        outbox still goes out. 'history expire USER TIME' has both sides forget new messages after TIME (0: never). \
        A user with such a name is named NAME@HOST:PORT.
        """,
      arguments: [
        ArgumentSpec("USER", help: "with whom, or export, delete or expire", optional: true),
        ArgumentSpec("MORE", help: "what the action is about", optional: true, repeating: true),
      ],
      options: [
        .value("search", "WORD", help: "only messages in which it stands"),
        .value("since", "TIME", help: "only messages since then: 2h, 3d, 2026-05-01"),
        .value("limit", "N", help: "only the newest N"),
      ],
      examples: [
        ExampleSpec("secchat history bob --limit 20", "The end of the conversation."),
        ExampleSpec("secchat history --search grusse --since 30d", "Finds 'Grüße' too, with whomever."),
        ExampleSpec("secchat history export > messages.jsonl", "A copy in plain text."),
        ExampleSpec("secchat history delete bob", "Nobody reads it any more."),
      ],
      exitStatuses: [
        ExitStatusSpec(1, "there is no such conversation"), ExitStatusSpec(7, "wrong passphrase"),
      ])
  ) { session, arguments async throws(NodeError) in
    var words = arguments.arguments("MORE")
    let first = arguments.argument("USER")
    guard let first, let action = HistoryAction(rawValue: first) else {
      guard words.isEmpty else {
        throw NodeError(.usage, "history shows one user at a time", hint: "see secchat history --help")
      }
      return try await show(first, arguments, in: session)
    }
    switch action {
    case .export:
      guard words.count <= 1 else { throw misuse }
      try await session.confirmPassphrase()
      session.output.terminal.note("what follows is plain text: keep it where nobody else can read it")
      let request = try request(words.first, arguments)
      let terminal = session.output.terminal
      let output = session.output
      return try await session.perform(request) { event in
        if case .message = event { terminal.emit(event.line) } else { output.show(event) }
      }
    case .delete:
      guard words.count == 1 else { throw misuse }
      try refuseSelection(arguments)
      let status = try await session.perform(.deleteHistory(user: words[0]))
      if status == .done {
        session.output.say("deleted: nobody can read the past with \(name: words[0]) any more")
      }
      return status
    case .expire:
      guard words.count == 2, let time = ValueParser<Duration>.duration.convert(words.removeLast()) else {
        throw misuse
      }
      try refuseSelection(arguments)
      let seconds = UInt32(clamping: time.components.seconds)
      let status = try await session.perform(.expire(user: words[0], seconds: seconds))
      if status == .done {
        session.output.say(
          seconds == 0
            ? "new messages with \(name: words[0]) stay"
            : "both sides forget new messages to \(name: words[0]) after \(timeSpan(seconds: Int64(seconds)))"
        )
      }
      return status
    }
  }

  private static let misuse = NodeError(
    .usage, "history export [USER], history delete USER, or history expire USER TIME",
    hint: "see secchat history --help")

  /// Who names some messages does not mean all of them.
  private static func refuseSelection(_ arguments: ParsedArguments) throws(NodeError) {
    for name in ["search", "since", "limit"] where arguments.value(name) != nil {
      throw NodeError(
        .usage, "delete and expire are about the whole conversation: --\(name) does not go with them",
        hint: "see secchat history --help")
    }
  }

  private static func request(
    _ user: String?, _ arguments: ParsedArguments
  ) throws(NodeError) -> Request {
    let since = try checked { () throws(UsageError) in
      try arguments.value("since", as: .pastTime(now: wallTime()))
    }
    let limit = try checked { () throws(UsageError) in
      try arguments.value("limit", as: .integer(in: 1...1_000_000_000))
    }
    return .history(
      user: user, search: arguments.value("search"), since: since.map { Double($0) },
      limit: limit.map { Int($0) })
  }

  private static func show(
    _ user: String?, _ arguments: ParsedArguments, in session: Session
  ) async throws(NodeError) -> ExitStatus {
    let output = session.output
    let isEmpty = Atomic(true)
    let status = try await session.perform(try request(user, arguments)) { event in
      isEmpty.store(false, ordering: .relaxed)
      output.show(event)
    }
    if status == .done, isEmpty.load(ordering: .relaxed), !output.json { output.say("no messages") }
    return status
  }
}

/// What `history` does besides showing.
private enum HistoryAction: String {
  case export
  case delete
  case expire
}
