import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let verify = Command(
    CommandSpec(
      "verify",
      summary: "Show or compare the safety number with a user",
      discussion: """
        Both sides see the same 60 digits where nobody stands between them. Compare them by telephone or in person, \
        then give the number that the other side reads out: equal marks the user as verified.
        """,
      arguments: [
        .user,
        ArgumentSpec(
          "NUMBER", help: "the 60 digits that the other side sees; blanks do not matter", optional: true,
          repeating: true),
      ],
      examples: [
        ExampleSpec("secchat verify bob", "Shows the number, and as a QR code on a terminal."),
        ExampleSpec("secchat verify bob 12345 67890 …", "Compares, and marks bob as verified."),
      ],
      exitStatuses: [
        ExitStatusSpec(0, "shown, or equal"), ExitStatusSpec(1, "there is no such user, or no number"),
        ExitStatusSpec(4, "the numbers differ: 'verified' stays as it was"),
      ])
  ) { session, arguments async throws(NodeError) in
    let words = arguments.arguments("NUMBER")
    let number = SafetyDigits.parse(words)
    guard words.isEmpty || number != nil else {
      throw NodeError(
        .usage, "that is no safety number",
        hint: "it has \(SafetyDigits.count) digits; only blanks and dashes may stand between them")
    }
    let output = session.output
    let request = Request.verify(user: arguments.argument("USER") ?? "", number: number)
    return try await session.perform(request) { event in
      output.show(event)
      if number == nil, case .safetyNumber(let safety) = event, let code = QRCode(text: safety.number) {
        output.draw(code)
      }
    }
  }
}
