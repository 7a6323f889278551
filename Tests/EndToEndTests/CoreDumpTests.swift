import Foundation
import SecchatCore
import TestSupport
import Testing

/// What a crash or another program of the same user gets to see of the programs' memory.
@Suite struct CoreDumpTests {
  /// Where the system puts dumps, if that is the folder of the process.
  private static let isPlain: Bool = {
    let pattern = try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
    return pattern.map { !$0.hasPrefix("|") && !$0.contains("/") } ?? false
  }()

  /// No trace of the crash is made in place of the end.
  private static let environment = ["SWIFT_BACKTRACE": "enable=no"]

  private func dumps(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("core") }
  }

  @Test(.needsRoot, .readsMemory, .enabled(if: isPlain, "dumps do not go to the folder of the process"))
  func `nothing of it is in a core dump of the registry`() async throws {
    let talk = try await Talk()
    let key = try String(contentsOfFile: talk.world.folder.file("registry/registry.key"), encoding: .utf8)
    let bytes = try #require(Base32.decode(key.split(separator: "-").last?.dropFirst().dropLast(1) ?? ""))
    talk.registry.program.signal(SIGABRT)
    #expect(try await talk.registry.program.finish() == 128 + SIGABRT)
    let dumps = try dumps(in: talk.world.folder.path)
    try #require(dumps.count == 1)
    let path = talk.world.folder.file(dumps[0])
    #expect((talk.all + talk.known).found(inFile: path) == ["alice", "alice's public key in raw"])
    // Nor is the registry's own key: its pages are left out.
    #expect(Canaries(of: "the registry's key", Array(bytes.prefix(32))).found(inFile: path) == [])
  }

  @Test(.enabled(if: isPlain, "dumps do not go to the folder of the process"))
  func `neither program leaves a core dump`() async throws {
    let world = try World()
    let unlimited = "ulimit -c unlimited"
    let registry = try await world.registry(environment: Self.environment, limits: unlimited)
    var alice = try await world.user("alice", at: registry)
    alice.environment = Self.environment
    let daemon = try alice.start(words: ["daemon"], folder: world.folder.path, limits: unlimited)
    _ = try await daemon.record("online")
    for program in [daemon, registry.program] {
      program.signal(SIGABRT)
      #expect(try await program.finish() == 128 + SIGABRT)
    }
    #expect(try dumps(in: world.folder.path).isEmpty)
    // The same where it is allowed: a dump is what is left otherwise.
    let allowing = Self.environment.merging(["SECCHAT_ALLOW_CORE_DUMPS": "1"]) { $1 }
    let other = try await world.registry(data: "other", environment: allowing, limits: unlimited)
    other.program.signal(SIGABRT)
    _ = try await other.program.finish()
    #expect(try dumps(in: world.folder.path).count == 1)
  }

  /// The system gives what may not be dumped to root, and other programs of the same user may not look into it.
  @Test(.needsRoot) func `other programs of the same user may not read its memory`() async throws {
    let world = try World()
    let nobody = 65_534
    // Of a user who is not root, in a folder of his.
    let folder = world.folder.path
    try FileManager.default.setAttributes([.ownerAccountID: nobody], ofItemAtPath: folder)
    func start(_ path: String, _ arguments: [String]) throws -> Program {
      try Program(
        "/usr/bin/setpriv", ["--reuid=\(nobody)", "--clear-groups", path] + arguments, folder: folder)
    }
    let passphrase = try world.folder.write("passphrase", "a passphrase")
    try FileManager.default.setAttributes([.ownerAccountID: nobody], ofItemAtPath: passphrase)
    let registry = try start(
      Program.path("secchat-registry"),
      ["--listen", "127.0.0.1:0", "--data", folder + "/registry", "--json"])
    let line = try await registry.line("the listening line") { Record($0)?.type == "listening" }
    let started = try Registry(program: registry, started: #require(Record(line)))
    let options = ["--home", folder + "/alice", "--json", "--passphrase-file", passphrase]
    for words in [
      ["keygen"], ["register", "alice@127.0.0.1:\(started.port)", "--registry-key", started.key],
    ] {
      let command = try start(Program.path("secchat"), options + words)
      try #require(try await command.finish() == 0, "\(command.report)")
    }
    let daemon = try start(Program.path("secchat"), options + ["daemon"])
    _ = try await daemon.record("online")
    let other = try start("/bin/sleep", ["60"])

    func canRead(_ program: Program) async throws -> Bool {
      let reader = try start("/bin/cat", ["/proc/\(program.id)/environ"])
      return try await reader.finish() == 0
    }
    try await eventually("another program's memory may be read") { try await canRead(other) }
    for program in [daemon, registry] {
      #expect(try await !canRead(program))
      let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(program.id)/mem")[.ownerAccountID]
      #expect(owner as? Int == 0)
    }
    let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(other.id)/mem")[.ownerAccountID]
    #expect(owner as? Int == nobody)
  }
}
