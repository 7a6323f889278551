import SecchatArguments
import SecchatNode

extension Command {
  static let trust = Command(
    CommandSpec(
      "trust",
      summary: "Accept a user's new identity key after a change",
      discussion: """
        Ask the user for the fingerprint in another way than by secchat, and give it here. Only the key with exactly \
        that fingerprint is accepted; 'verified' is cleared until the safety number is compared again.
        """,
      arguments: [
        .user,
        ArgumentSpec("FINGERPRINT", help: "of the new key; blanks do not matter", repeating: true),
      ],
      examples: [ExampleSpec("secchat trust bob abcd-efgh-…", "As bob reads it out.")],
      exitStatuses: [ExitStatusSpec(4, "the fingerprint is another one: nothing was accepted")])
  ) { session, arguments async throws(NodeError) in
    try await session.perform(
      .trust(
        user: arguments.argument("USER") ?? "",
        fingerprint: arguments.arguments("FINGERPRINT").joined(separator: "-")))
  }
}
