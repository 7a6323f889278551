import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let keyPasswd = Command(
    CommandSpec(
      "key passwd",
      summary: "Change the passphrase of the profile",
      discussion: """
        Seals the keys under another passphrase, all of it or nothing. The history need not be sealed anew, and a \
        running daemon goes on. Copies of the key file that were made before still open with the old passphrase.
        """,
      options: [
        .value(
          "new-passphrase-file", "FILE", help: "the new passphrase is its first line; - is standard input")
      ],
      examples: [ExampleSpec("secchat key passwd", "Asks for the old one, then twice for the new one.")],
      exitStatuses: [
        ExitStatusSpec(1, "there is no identity, or the new passphrase is empty"),
        ExitStatusSpec(7, "the old passphrase is wrong"), ExitStatusSpec(8, "the key file is damaged"),
      ])
  ) { session, arguments async throws(NodeError) in
    let input = session.passphrase
    let file = arguments.value("new-passphrase-file")
    try await NodeConnection.changePassphrase(home: session.home, passphrase: try await input.source()) {
      () async throws(NodeError) -> Passphrase in try await input.replacement(file: file)
    }
    session.output.say("changed; copies of the key file made before still open with the old passphrase")
    return .done
  }
}
