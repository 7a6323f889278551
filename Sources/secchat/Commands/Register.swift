import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let register = Command(
    CommandSpec(
      "register", aliases: ["reg"],
      summary: "Claim a name at a registry",
      discussion: """
        Sends the profile's public keys, and leaves the profile logged in. A name that is taken by other keys is \
        refused; again with the same keys is no error. A registry that is not known yet shows its fingerprint, \
        which is accepted by hand, as ssh does it, or given beforehand by --registry-key.

        The registry prints its address with its key when it starts. That whole line may stand in the place of \
        HOST, or of the key: secchat://HOST:PORT/KEY.
        """,
      arguments: [
        ArgumentSpec("USER@HOST[:PORT]", help: "the name, and where its registry is (port 7499 unless given)")
      ],
      options: [
        .value("registry-key", "KEY", help: "the registry's key, secchat-registry-1…, or its whole address"),
        NodeChoices.visibility,
      ],
      examples: [
        ExampleSpec("secchat register alice@chat.example.org", "Shows the registry's fingerprint and asks."),
        ExampleSpec("secchat register alice@[::1]:7499 --registry-key secchat-registry-1…", "Asks nothing."),
      ],
      exitStatuses: [
        ExitStatusSpec(1, "the name is taken, or is not a valid name"),
        ExitStatusSpec(4, "the registry's key is not accepted, or is not the one known"),
      ])
  ) { session, arguments async throws(NodeError) in
    let target = try checked { () throws(UsageError) in
      try NodeChoices.checkVisibility(arguments)
      return try RegistryTarget(
        try arguments.required("USER@HOST[:PORT]"), key: arguments.value("registry-key"))
    }
    return try await register(target, in: session)
  }

  private static func register(_ target: RegistryTarget, in session: Session) async throws(NodeError)
    -> ExitStatus
  {
    let output = session.output
    // What the registry shows is held back until somebody has said what is to be done about it.
    let held = Locked<[Event]>([])
    let status = try await session.perform(.register(user: target.user, registryKey: target.key)) { event in
      let isHeld = held.withLock { held in
        if case .registryKey = event { held.append(event) } else if !held.isEmpty { held.append(event) }
        return !held.isEmpty
      }
      if !isHeld { output.show(event) }
    }
    let events = held.withLock { $0 }
    guard status == .untrusted, case .registryKey(let shown) = events.first, session.canConfirm else {
      for event in events { output.show(event) }
      return status
    }
    output.show(.registryKey(shown))
    await output.drain()
    let isAccepted = try await confirm(shown)
    guard isAccepted else {
      throw NodeError(
        .untrusted, "the registry's key was not accepted", hint: "nothing was sent and nothing is registered")
    }
    return try await session.perform(.register(user: target.user, registryKey: shown.key))
  }

  private static func confirm(_ registry: Event.RegistryKey) async throws(NodeError) -> Bool {
    try await onOwnThread { () -> Result<Bool, NodeError> in
      do {
        return .success(
          try PassphrasePrompt().confirm(
            "Is this the registry's fingerprint (yes/no/fingerprint)?", fingerprint: registry.fingerprint))
      } catch {
        return .failure(
          NodeError(
            .untrusted, "the registry's key was not accepted",
            hint: "give it with --registry-key, or answer on a terminal"))
      }
    }.get()
  }
}

extension Session {
  /// Whether there is a person to ask yes or no: a script must get its answer at once.
  var canConfirm: Bool { !output.json && isatty(STDIN_FILENO) == 1 && output.terminal.errorIsTerminal }
}
