import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let logout = Command(
    CommandSpec(
      "logout",
      summary: "Go offline",
      discussion: """
        Ends the session at the registry and with all peers, of a running daemon too. Until 'secchat login' \
        commands that need the network end with status 7.
        """,
      examples: [ExampleSpec("secchat logout", "Nobody sees you any more.")])
  ) { session, _ async throws(NodeError) in
    let status = try await session.perform(.logout)
    if status == .done, !session.isInShell { session.output.say("logged out") }
    return status
  }
}
