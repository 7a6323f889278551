import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let transfers = Command(
    CommandSpec(
      "transfers",
      summary: "Show, pause and cancel transfers of files",
      discussion: """
        Without arguments it shows the transfers that are not over: under way, waiting until both sides are online, or \
        paused. ACTION is pause, resume or cancel. A paused transfer goes on from where it stopped; of a cancelled one \
        nothing incomplete stays, but where its receiver cannot be told of it: there parts stay for up to a week.
        """,
      arguments: [
        ArgumentSpec("ACTION", help: "pause, resume or cancel", optional: true),
        ArgumentSpec("ID", help: "which transfer, by the first digits of its id", optional: true),
      ],
      examples: [
        ExampleSpec("secchat transfers", "Shows them."),
        ExampleSpec("secchat transfers pause 3fa2", "Stops one for now."),
      ],
      exitStatuses: [ExitStatusSpec(1, "there is no such transfer")])
  ) { session, arguments async throws(NodeError) in
    guard let word = arguments.argument("ACTION") else {
      let output = session.output
      let isEmpty = Locked(true)
      let status = try await session.perform(.transfers) { event in
        isEmpty.withLock { $0 = false }
        output.show(event)
      }
      if !output.json, isEmpty.withLock({ $0 }) { output.say("no files are on their way") }
      return status
    }
    guard let action = TransferAction(rawValue: word) else {
      throw NodeError(.usage, "'\(word)' is nothing that can be done", hint: "it is pause, resume or cancel")
    }
    guard let id = arguments.argument("ID") else {
      throw NodeError(.usage, "which transfer is meant?", hint: "`secchat transfers` shows their ids")
    }
    return try await session.perform(.transfer(id: id, action: action))
  }
}
