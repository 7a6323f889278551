/// What a command line asks for.
package enum Invocation: Sendable {
  case run(ParsedArguments)
  /// Help of the whole program (nil) or of one command.
  case help(CommandSpec?)
  case version
}

/// A checked command line: every option is declared, every required argument is there.
///
/// Asking for a name that the specification does not declare is a mistake of the program and traps.
package struct ParsedArguments: Sendable {
  /// The command's own name, also when an alias was given; nil when there was none.
  package let command: String?
  let commandLine: String
  let hint: String
  let optionSpecs: [OptionSpec]
  let argumentSpecs: [ArgumentSpec]
  var optionValues: [String: [String]] = [:]
  /// Every positional argument in order.
  package internal(set) var positionals: [String] = []

  /// How often a flag was given.
  package func count(_ flag: String) -> Int {
    precondition(declared(flag).valueName == nil, "--\(flag) takes a value")
    return optionValues[flag]?.count ?? 0
  }

  /// Whether a flag was given.
  package func flag(_ name: String) -> Bool { count(name) > 0 }

  /// The value of an option; the last one wins.
  package func value(_ name: String) -> String? { values(name).last }

  /// Every value of an option, in order.
  package func values(_ name: String) -> [String] {
    precondition(declared(name).valueName != nil, "--\(name) is a flag")
    return optionValues[name] ?? []
  }

  /// The value of an option, parsed.
  package func value<Value>(_ name: String, as parser: ValueParser<Value>) throws(UsageError) -> Value? {
    guard let text = value(name) else { return nil }
    return try parser.parse(text, of: "--\(name)")
  }

  /// Every value of an option, parsed.
  package func values<Value>(_ name: String, as parser: ValueParser<Value>) throws(UsageError) -> [Value] {
    var parsed: [Value] = []
    for text in values(name) { parsed.append(try parser.parse(text, of: "--\(name)")) }
    return parsed
  }

  /// A positional argument; nil when it is optional and was not given.
  package func argument(_ name: String) -> String? { arguments(name).first }

  /// The words of a repeating positional argument.
  package func arguments(_ name: String) -> [String] {
    guard let index = argumentSpecs.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("no argument \(name) is declared")
    }
    guard index < positionals.count else { return [] }
    return argumentSpecs[index].repeats ? Array(positionals[index...]) : [positionals[index]]
  }

  /// A positional argument that must be there, although it may be declared as optional.
  package func required(_ name: String) throws(UsageError) -> String {
    if let text = argument(name) { return text }
    throw missing(name)
  }

  /// A positional argument, parsed.
  package func argument<Value>(
    _ name: String, as parser: ValueParser<Value>
  ) throws(UsageError) -> Value? {
    guard let text = argument(name) else { return nil }
    return try parser.parse(text, of: name)
  }

  func missing(_ name: String) -> UsageError {
    let subject = commandLine.isEmpty ? "the command" : commandLine
    return UsageError("\(subject) needs \(name)", hint: hint)
  }

  private func declared(_ name: String) -> OptionSpec {
    guard let spec = optionSpecs.first(where: { $0.name == name }) else {
      preconditionFailure("no option --\(name) is declared")
    }
    return spec
  }
}
