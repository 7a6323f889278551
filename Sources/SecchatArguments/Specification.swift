/// One program: everything that parsing, help, the man page and the completions need to know of it.
package struct ProgramSpec: Sendable {
  /// The program's name; empty for the commands of an interactive shell, which have no program before them.
  package var name: String
  package var version: String
  package var summary: String
  /// Paragraphs, separated by empty lines.
  package var discussion: String
  /// Positional arguments of a program without commands.
  package var arguments: [ArgumentSpec]
  /// Accepted before the command's name and after it.
  package var options: [OptionSpec]
  package var commands: [CommandSpec]
  package var examples: [ExampleSpec]
  package var exitStatuses: [ExitStatusSpec]
  package var environment: [EnvironmentSpec]

  package init(
    name: String, version: String, summary: String, discussion: String = "",
    arguments: [ArgumentSpec] = [], options: [OptionSpec] = [], commands: [CommandSpec] = [],
    examples: [ExampleSpec] = [], exitStatuses: [ExitStatusSpec] = [],
    environment: [EnvironmentSpec] = []
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.discussion = discussion
    self.arguments = arguments
    self.options = options
    self.commands = commands
    self.examples = examples
    self.exitStatuses = exitStatuses
    self.environment = environment
  }

  /// The command of that name or alias; words of a longer name are separated by one space.
  package func command(named name: String) -> CommandSpec? {
    commands.first { $0.name == name || $0.aliases.contains(name) }
  }
}

/// One command. A name of several words (`key show`) is a command of a group that needs no declaration.
package struct CommandSpec: Sendable {
  package var name: String
  package var aliases: [String]
  package var summary: String
  package var discussion: String
  package var arguments: [ArgumentSpec]
  package var options: [OptionSpec]
  package var examples: [ExampleSpec]
  package var exitStatuses: [ExitStatusSpec]
  /// Works, but is left out of lists, the man page and completions.
  package var isHidden: Bool

  package init(
    _ name: String, aliases: [String] = [], summary: String, discussion: String = "",
    arguments: [ArgumentSpec] = [], options: [OptionSpec] = [], examples: [ExampleSpec] = [],
    exitStatuses: [ExitStatusSpec] = [], isHidden: Bool = false
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.discussion = discussion
    self.arguments = arguments
    self.options = options
    self.examples = examples
    self.exitStatuses = exitStatuses
    self.isHidden = isHidden
  }
}

/// One positional argument. Only the last of a command may repeat, and no required one follows an optional.
package struct ArgumentSpec: Sendable {
  /// As the usage line shows it, in capitals: `USER`.
  package var name: String
  package var help: String
  package var isOptional: Bool
  package var repeats: Bool
  package var completion: CompletionKind

  package init(
    _ name: String, help: String, optional: Bool = false, repeating: Bool = false,
    completion: CompletionKind = .none
  ) {
    self.name = name
    self.help = help
    self.isOptional = optional
    self.repeats = repeating
    self.completion = completion
  }
}

/// One option: a flag, or one that takes a value.
package struct OptionSpec: Sendable {
  /// The long name without its dashes; the key under which a value is asked for.
  package var name: String
  package var short: Character?
  /// What stands for the value in help texts; nil for a flag.
  package var valueName: String?
  package var help: String
  /// What holds when the option is not given, as help shows it. It is not applied by the parser.
  package var defaultText: String?
  package var repeats: Bool
  package var completion: CompletionKind
  package var isHidden: Bool

  package static func flag(
    _ name: String, short: Character? = nil, help: String, hidden: Bool = false
  ) -> OptionSpec {
    OptionSpec(
      name: name, short: short, valueName: nil, help: help, defaultText: nil, repeats: false,
      completion: .none, isHidden: hidden)
  }

  package static func value(
    _ name: String, short: Character? = nil, _ valueName: String, help: String,
    default defaultText: String? = nil, repeating: Bool = false, completion: CompletionKind = .none,
    hidden: Bool = false
  ) -> OptionSpec {
    OptionSpec(
      name: name, short: short, valueName: valueName, help: help, defaultText: defaultText,
      repeats: repeating, completion: completion, isHidden: hidden)
  }

  /// `-h`, `--help`: once declared, the parser answers it before it checks anything else.
  package static let help = OptionSpec.flag("help", short: "h", help: "show this help")
  /// `--version`: once declared, the parser answers it before it checks anything else.
  package static let version = OptionSpec.flag("version", help: "show the version")
}

/// What a shell offers for a word.
package enum CompletionKind: Sendable, Equatable {
  case none
  case file
  case directory
  case words([String])
  /// A shell command that prints one candidate a line.
  case output(of: String)
}

/// A command line and what it does.
package struct ExampleSpec: Sendable {
  package var command: String
  package var explanation: String

  package init(_ command: String, _ explanation: String) {
    self.command = command
    self.explanation = explanation
  }
}

/// One exit status and when it is given.
package struct ExitStatusSpec: Sendable {
  package var status: Int
  package var meaning: String

  package init(_ status: Int, _ meaning: String) {
    self.status = status
    self.meaning = meaning
  }
}

/// One environment variable that the program reads.
package struct EnvironmentSpec: Sendable {
  package var name: String
  package var help: String

  package init(_ name: String, _ help: String) {
    self.name = name
    self.help = help
  }
}
