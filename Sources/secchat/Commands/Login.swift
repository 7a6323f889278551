import SecchatArguments
import SecchatNode

extension Command {
  static let login = Command(
    CommandSpec(
      "login",
      summary: "Go online and open the shell",
      discussion: """
        Without a terminal, or with --json, 'online' is printed and commands are read from standard input, one a \
        line, until it ends or says quit; the exit status is that of the first command that failed. The commands \
        are those of the shell: type help there.

        Where the profile's node runs already, the shell uses it and leaves it running.
        """,
      options: NodeChoices.options,
      examples: [
        ExampleSpec("secchat login", "Opens the shell."),
        ExampleSpec("printf 'list\\n' | secchat --json login", "One command from a program."),
      ],
      exitStatuses: [
        ExitStatusSpec(3, "the registry cannot be reached"),
        ExitStatusSpec(7, "wrong passphrase"),
      ]),
    handlesSignals: true
  ) { session, arguments async throws(NodeError) in
    let options = try NodeChoices.parse(arguments)
    let source = try await session.passphrase.source()
    let shell = Shell(session)
    if let running = try await NodeConnection.attach(home: session.home, passphrase: source) {
      guard options == NodeOptions() else {
        await running.finish()
        throw NodeError(
          .usage, "the profile's node is running already, with options of its own",
          hint: "leave the options out, or end that node first")
      }
      let status = await shell.run(running, subscribes: true)
      await running.finish()
      return status
    }
    let status = await NodeConnection.serve(
      home: session.home, options: options, passphrase: source, loggingIn: true,
      onEvent: { shell.receive($0) }, isReady: { shell.isReady },
      ready: { connection in
        // Away from the thread of the node's loop, which the shell must not hold up.
        await Task.detached { _ = await shell.run(connection, subscribes: false) }.value
        await connection.finish()
      })
    shell.close()
    if let status = shell.status { return status }
    shell.showWhyNotOpened()
    return status
  }
}
