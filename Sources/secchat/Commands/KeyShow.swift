import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let keyShow = Command(
    CommandSpec(
      "key show",
      summary: "Show the profile's public key and fingerprint",
      discussion: "Needs no passphrase.",
      options: [.flag("qr", help: "draw the public key as a QR code, on a terminal")],
      examples: [ExampleSpec("secchat key show --qr", "For a friend's camera.")],
      exitStatuses: [
        ExitStatusSpec(1, "there is no identity"), ExitStatusSpec(8, "the key file is damaged"),
      ])
  ) { session, arguments async throws(NodeError) in
    let identity = try await NodeConnection.publicIdentity(home: session.home)
    session.output.show(.identity(identity))
    if arguments.flag("qr"), let code = QRCode(text: identity.key) { session.output.draw(code) }
    return .done
  }
}
