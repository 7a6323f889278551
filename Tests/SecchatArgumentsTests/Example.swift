import SecchatArguments
import TestSupport

/// A program with everything that a specification can say.
let example = ProgramSpec(
  name: "mail", version: "1.2", summary: "Sends mail to people",
  discussion:
    "The first paragraph is long enough that it has to be wrapped, since a line has eighty columns.\n\nSecond.",
  options: [
    .value("home", "DIR", help: "the profile folder", default: "~/.mail", completion: .directory),
    .flag("json", help: "one JSON object a line"),
    .flag("verbose", short: "v", help: "say more"),
    .help, .version,
  ],
  commands: [
    CommandSpec(
      "send", aliases: ["s"], summary: "Sends something", discussion: "It's sent at once.",
      arguments: [
        ArgumentSpec("USER", help: "who gets it", completion: .output(of: "mail users")),
        ArgumentSpec("PATH", help: "what to send", optional: true, repeating: true, completion: .file),
      ],
      options: [
        .value("rate", short: "r", "BYTES", help: "at most so many bytes a second"),
        .value("tag", "WORD", help: "a tag", repeating: true, completion: .words(["red", "blue"])),
        .flag("quiet", short: "q", help: "say nothing"),
        .flag("secret-door", help: "hidden", hidden: true),
      ],
      examples: [ExampleSpec("mail send bob letter.txt", "sends a letter")],
      exitStatuses: [ExitStatusSpec(6, "bob is away")]),
    CommandSpec("key show", summary: "Shows the key", options: [.flag("qr", help: "as a picture")]),
    CommandSpec("key make", summary: "Makes a key"),
    CommandSpec("list", summary: "Lists"),
    CommandSpec("internal", summary: "Hidden", isHidden: true),
  ],
  examples: [ExampleSpec("mail list", "lists everybody")],
  exitStatuses: [ExitStatusSpec(0, "done"), ExitStatusSpec(1, "usage error")],
  environment: [EnvironmentSpec("MAIL_HOME", "the profile folder")])

let server = ProgramSpec(
  name: "mail-server", version: "1.2", summary: "Serves mail",
  arguments: [ArgumentSpec("CONFIG", help: "settings", optional: true, completion: .file)],
  options: [.value("listen", "HOST:PORT", help: "where"), .help, .version])

/// The arguments of a command line that must be right.
func run(_ words: String..., of program: ProgramSpec = example) throws -> ParsedArguments {
  guard case .run(let arguments) = try program.parse(words) else { throw UsageError("not a run") }
  return arguments
}

/// What is wrong with a command line.
func failure(_ words: String..., of program: ProgramSpec = example) -> UsageError? {
  refusal(of: try program.parse(words))
}
