internal import SecchatArguments

/// The command line of `secchat-registry`, from which its help is made.
enum RegistryProgram {
  static let specification = ProgramSpec(
    name: "secchat-registry",
    version: Release.version,
    summary: "The registry of secchat: tells its users' public keys and where they are online.",
    discussion: """
      Users' programs register names with public keys here, log in and ask where others are. \
      What they say to each other goes from one to the other, sealed, and never through here.

      At its start it prints its address with its key, as secchat://HOST:PORT/KEY. Give users that; \
      its key is in registry.key, its database in registry.db, and both are worth a backup.
      """,
    options: [
      .value(
        "listen", "HOST:PORT", help: "where to listen; port 0 picks one", default: "[::]:7499, all interfaces"
      ),
      .value(
        "data", "DIR", help: "folder of the key and the database",
        default: "$XDG_DATA_HOME/secchat-registry", completion: .directory),
      .value(
        "heartbeat", "SECONDS", help: "how often clients are asked to say that they live", default: "30"),
      .value("life", "SECONDS", help: "a silent client goes offline after this time", default: "90"),
      .value("signup-rate", "N", help: "names that one address may register an hour", default: "100"),
      .value(
        "lookup-rate", "N",
        help: "look-ups that one user may ask for a minute; a long list counts as several",
        default: "6000"),
      .value("handshake-rate", "N", help: "connections that one address may make a minute", default: "6000"),
      .value("max-connections", "N", help: "connections at once", default: "16000"),
      .value("max-per-address", "N", help: "connections at once from one address", default: "4000"),
      .value(
        "log-level", "LEVEL", help: "error, warning, info or debug; addresses are logged at debug only",
        default: "info", completion: .words(["error", "warning", "info", "debug"])),
      .flag("json", help: "print the start line as JSON"),
      .help,
      .version,
    ],
    examples: [
      ExampleSpec("secchat-registry", "serves on port 7499 of every interface"),
      ExampleSpec("secchat-registry --listen 127.0.0.1:0 --data /tmp/r --json", "one to try things with"),
    ],
    exitStatuses: [
      ExitStatusSpec(0, "it was stopped by SIGTERM or SIGINT"),
      ExitStatusSpec(1, "wrong options, or an address or folder that cannot be used"),
      ExitStatusSpec(8, "the key file or the database is damaged, or of a newer version"),
    ],
    environment: [
      EnvironmentSpec("XDG_DATA_HOME", "where the default data folder lies (default: ~/.local/share)")
    ]
  )
}
