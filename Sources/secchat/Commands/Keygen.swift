import SecchatArguments
import SecchatNode

extension Command {
  static let keygen = Command(
    CommandSpec(
      "keygen",
      summary: "Make an identity in the profile",
      discussion: """
        Prints the public key and its fingerprint. The secret half is written to the profile, sealed by a \
        passphrase that is asked for twice. An identity that is there is never overwritten.
        """,
      examples: [
        ExampleSpec("secchat keygen", "Asks for a passphrase and makes the identity."),
        ExampleSpec(
          "secchat --home /srv/bot keygen --passphrase-file /run/secrets/bot", "The same for a program."),
      ],
      exitStatuses: [ExitStatusSpec(1, "there is an identity already, or the passphrase is empty")])
  ) { session, _ async throws(NodeError) in
    // Before anybody types a new passphrase twice for nothing.
    if try await session.hasIdentity() {
      throw NodeError(
        .usage, "there is an identity in \(session.home) already",
        hint: "see it with 'secchat key show', or name another profile: --home DIR")
    }
    let passphrase = try await session.passphrase.create()
    let identity = try await NodeConnection.generateIdentity(home: session.home, passphrase: passphrase)
    session.output.show(.identity(identity))
    return .done
  }
}

extension Session {
  /// Whether the profile has an identity.
  func hasIdentity() async throws(NodeError) -> Bool {
    do {
      _ = try await NodeConnection.publicIdentity(home: home)
      return true
    } catch {
      guard error.status == .usage else { throw error }
      return false
    }
  }
}
