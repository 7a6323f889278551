import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let daemon = Command(
    CommandSpec(
      "daemon", aliases: ["listen"],
      summary: "Stay online and print what happens",
      discussion: """
        Listens for peers, logs in and comes back by itself until SIGTERM or Ctrl-C. Other commands given the same \
        profile use it on their own. Choices are kept in the profile for the next time.
        """,
      options: NodeChoices.options,
      examples: [
        ExampleSpec("secchat daemon", "Prints messages and files as they come."),
        ExampleSpec(
          "secchat --json daemon --accept-files always --downloads ~/inbox", "Receives for another program."),
      ],
      exitStatuses: [
        ExitStatusSpec(0, "ended by a signal"), ExitStatusSpec(1, "the profile's node runs already"),
        ExitStatusSpec(7, "wrong passphrase"),
      ]),
    handlesSignals: true
  ) { session, arguments async throws(NodeError) in
    let options = try NodeChoices.parse(arguments)
    let output = session.output.stayingOn(inShell: false)
    let state = ShellState()
    // A message must not be confirmed to its sender once nobody is there to read it.
    let hasReader = Locked(true)
    startThread {
      guard output.terminal.waitForReaderToGo() else { return }
      hasReader.withLock { $0 = false }
      kill(getpid(), SIGTERM)
    }
    let status = await NodeConnection.serve(
      home: session.home, options: options, passphrase: try await session.passphrase.source(),
      onEvent: { if state.note($0) || output.json { output.show($0) } },
      isReady: { output.isReady && hasReader.withLock { $0 } }, ready: { _ in })
    if !hasReader.withLock({ $0 }) { output.terminal.endWithoutReader() }
    // A reader that has stopped must not keep the program from ending, yet something is lost then.
    return output.drainBriefly() ? status : .internal
  }
}
