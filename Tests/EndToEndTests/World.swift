import Foundation
import TestSupport
import Testing

/// A folder with a registry's data and profiles in it; everything in it ends with the test.
final class World: Sendable {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Starts a registry and waits until it listens.
  func registry(
    data: String = "registry", port: Int = 0, _ options: String..., environment: [String: String] = [:],
    limits: String? = nil, on computer: Computer? = nil
  ) async throws -> Registry {
    let arguments =
      ["--listen", "\(computer?.host ?? "127.0.0.1"):\(port)", "--data", folder.file(data), "--json"]
      + options
    let program =
      try computer?.start("secchat-registry", arguments)
      ?? Program(
        "secchat-registry", arguments, environment: environment, folder: folder.path, limits: limits)
    let line = try await program.line("the listening line") { Record($0)?.type == "listening" }
    return try Registry(program: program, started: #require(Record(line)))
  }

  /// A profile that is not there yet.
  func profile(_ name: String, passphrase: String? = nil, on computer: Computer? = nil) throws -> Profile {
    let passphrase = passphrase ?? "the passphrase of \(name)"
    let file = try folder.write("\(name).passphrase", passphrase + "\n")
    return Profile(
      name: name, home: folder.file(name), passphrase: passphrase, passphraseFile: file, computer: computer)
  }

  /// A profile with an identity.
  func identity(_ name: String, on computer: Computer? = nil) async throws -> Profile {
    let profile = try profile(name, on: computer)
    try await profile.run("keygen").expect(0)
    return profile
  }

  /// A registered user.
  func user(
    _ name: String, at registry: Registry, port: Int? = nil, on computer: Computer? = nil
  ) async throws -> Profile {
    let profile = try await identity(name, on: computer)
    try await profile.register(at: registry, port: port).expect(0)
    return profile
  }
}

/// A registry that runs.
struct Registry: Sendable {
  let program: Program
  /// As it is written before a port.
  let host: String
  let port: Int
  let key: String
  let url: String

  init(program: Program, started: Record) throws {
    self.program = program
    let host = try #require(started["host"])
    self.host = host.contains(":") ? "[\(host)]" : host
    port = Int(try #require(started.number("port")))
    key = try #require(started["key"])
    url = try #require(started["url"])
  }
}

/// What a command did.
struct Outcome: Sendable {
  let command: String
  let status: Int32
  let lines: [String]
  let errors: String

  /// Its JSON lines.
  var records: [Record] { lines.compactMap { Record($0) } }

  /// The JSON lines of a type.
  func records(_ type: String) -> [Record] { records.filter { $0.type == type } }

  /// The only JSON line of a type.
  func record(_ type: String, location: SourceLocation = #_sourceLocation) throws -> Record {
    let found = records(type)
    try #require(found.count == 1, "\(self)", sourceLocation: location)
    return found[0]
  }

  /// Records an issue unless it ended with this status, and unless a failure is said by an `error` line of that code.
  @discardableResult
  func expect(_ status: Int32, location: SourceLocation = #_sourceLocation) throws -> Outcome {
    try #require(self.status == status, "\(self)", sourceLocation: location)
    if status != 0 {
      let error = try record("error", location: location)
      #expect(error.number("code") == Double(status), sourceLocation: location)
      #expect(error["message"]?.isEmpty == false && error["hint"] != nil, "\(self)", sourceLocation: location)
    }
    return self
  }
}

extension Outcome: CustomStringConvertible {
  var description: String {
    "\(command) ended with \(status)\n" + lines.joined(separator: "\n") + "\n" + errors
  }
}

/// A profile of `secchat`.
struct Profile: Sendable {
  let name: String
  let home: String
  let passphrase: String
  var passphraseFile: String
  /// Where its programs run, if not on this machine.
  var computer: Computer?
  /// What its commands have in their environment, besides what all programs of tests have.
  var environment: [String: String] = [:]

  var keyFile: String { home + "/identity.key" }

  private func options(_ passphraseFile: String?) -> [String] {
    ["--home", home, "--json", "--passphrase-file", passphraseFile ?? self.passphraseFile]
  }

  /// Runs a command to its end.
  func run(
    _ words: String..., passphraseFile: String? = nil, input: String = ""
  ) async throws -> Outcome {
    try await run(words: words, passphraseFile: passphraseFile, input: input)
  }

  /// Runs a command to its end.
  func run(
    words: [String], passphraseFile: String? = nil, input: String = ""
  ) async throws -> Outcome {
    let program = try start(words: words, passphraseFile: passphraseFile, input: input)
    let status = try await program.finish()
    return Outcome(
      command: words.joined(separator: " "), status: status, lines: program.lines, errors: program.errors)
  }

  /// Starts a command.
  func start(
    words: [String], passphraseFile: String? = nil, folder: String? = nil, limits: String? = nil,
    input: String? = ""
  ) throws -> Program {
    let arguments = options(passphraseFile) + words
    return try computer?.start("secchat", arguments, input: input)
      ?? Program(
        "secchat", arguments, environment: environment, folder: folder, limits: limits, input: input)
  }

  /// Registers the profile's name; `port` is where the registry is reached, if not where it listens.
  func register(at registry: Registry, as name: String? = nil, port: Int? = nil) async throws -> Outcome {
    try await run(
      "register", "\(name ?? self.name)@\(registry.host):\(port ?? registry.port)", "--registry-key",
      registry.key)
  }

  /// A daemon that is online.
  func daemon(_ options: String..., online: Bool = true) async throws -> Program {
    let program = try start(words: ["daemon"] + options)
    if online { _ = try await program.record("online") }
    return program
  }

  /// The fingerprint of the profile's key.
  func fingerprint() async throws -> String {
    try #require(try await run("key", "show").expect(0).record("identity")["fingerprint"])
  }
}

extension Program {
  /// The next JSON line of a type, after those already returned.
  func record(
    _ type: String, within limit: Duration = patience, where fits: (Record) -> Bool = { _ in true }
  ) async throws -> Record {
    let line = try await line("a \(type) line", within: limit) { line in
      Record(line).map { $0.type == type && fits($0) } ?? false
    }
    return try #require(Record(line))
  }

  /// Ends it by SIGTERM, as an administrator would.
  func stop(_ expected: Int32 = 0, location: SourceLocation = #_sourceLocation) async throws {
    signal(SIGTERM)
    let status = try await finish()
    #expect(status == expected, "\(report)", sourceLocation: location)
  }

  /// Ends it as a power cut would.
  func destroy() async throws {
    signal(SIGKILL)
    _ = try await finish()
  }
}
