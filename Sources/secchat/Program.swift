import SecchatArguments

/// The program as its users meet it; help, the man page and completions are made from this.
enum Program {
  static let spec = ProgramSpec(
    name: "secchat",
    version: Release.version,
    summary: "End-to-end encrypted messages and files, straight between peers",
    discussion: """
      Without a command secchat goes online and opens its shell, as 'secchat login' does.

      A profile is a folder that holds one identity and its account at one registry. A command uses the \
      profile's running node (a daemon or a shell) where there is one, and starts a node for its own duration \
      otherwise.
      """,
    options: globalOptions,
    commands: Command.all.map(\.spec),
    examples: [
      ExampleSpec("secchat keygen", "Makes an identity, its secret half sealed by a passphrase."),
      ExampleSpec("secchat register alice@chat.example.org", "Claims the name alice at a registry."),
      ExampleSpec("secchat chat bob 'Lunch at noon?'", "Sends a message and waits until bob's node has it."),
    ],
    exitStatuses: exitStatuses,
    environment: [
      EnvironmentSpec("SECCHAT_HOME", "the profile folder, where --home does not name one"),
      EnvironmentSpec("SECCHAT_PASSPHRASE_FILE", "as --passphrase-file"),
      EnvironmentSpec("XDG_DATA_HOME", "the folder of the default profile (default: ~/.local/share)"),
      EnvironmentSpec("NO_COLOR", "set to anything: no colours"),
    ])

  static let globalOptions: [OptionSpec] = [
    .value(
      "home", "DIR", help: "the profile folder", default: "secchat in $XDG_DATA_HOME or ~/.local/share",
      completion: .directory),
    .flag("json", help: "print one JSON object a line on standard output"),
    .value(
      "passphrase-file", "FILE", help: "take the passphrase from the first line of FILE; - is standard input",
      completion: .file),
    .value("passphrase-fd", "N", help: "take the passphrase from the open file descriptor N"),
    .help,
    .version,
  ]

  static let exitStatuses: [ExitStatusSpec] = [
    ExitStatusSpec(0, "done"),
    ExitStatusSpec(1, "wrong usage, or something named does not exist"),
    ExitStatusSpec(2, "internal error"),
    ExitStatusSpec(3, "the registry or the network cannot be reached"),
    ExitStatusSpec(4, "a key is not trusted, or has changed"),
    ExitStatusSpec(5, "too many requests: try again later"),
    ExitStatusSpec(6, "the peer is offline or did not answer"),
    ExitStatusSpec(7, "wrong passphrase, or logged out"),
    ExitStatusSpec(8, "data is damaged"),
    ExitStatusSpec(9, "refused"),
    ExitStatusSpec(130, "interrupted"),
  ]
}
