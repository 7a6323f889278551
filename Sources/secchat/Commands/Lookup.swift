import SecchatArguments
import SecchatNode

extension Command {
  static let lookup = Command(
    CommandSpec(
      "lookup",
      summary: "Ask the registry for a user's key and address",
      arguments: [.user],
      examples: [ExampleSpec("secchat lookup bob", "Key, fingerprint, address, and whether verified.")],
      exitStatuses: [
        ExitStatusSpec(1, "there is no such user"), ExitStatusSpec(3, "the registry cannot be reached"),
        ExitStatusSpec(4, "the key is not the one known"),
      ])
  ) { session, arguments async throws(NodeError) in
    try await session.perform(.lookup(user: arguments.argument("USER") ?? ""))
  }
}

extension ArgumentSpec {
  /// A peer of the profile's registry.
  static let user = ArgumentSpec("USER", help: "the peer's name")
}
