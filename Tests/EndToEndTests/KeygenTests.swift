import Foundation
import TestSupport
import Testing

@Suite struct KeygenTests {
  @Test func `an identity is made, for its owner alone`() async throws {
    let world = try World()
    let alice = try world.profile("alice")
    let made = try await alice.run("keygen").expect(0).record("identity")
    #expect(made.names == ["v", "type", "key", "fingerprint"])
    #expect(made.number("v") == 1)
    #expect(made["key"]?.hasPrefix("secchat-pub-1") == true)
    #expect(try permissions(of: alice.home) == 0o700)
    #expect(try permissions(of: alice.keyFile) == 0o600)

    let shown = try await alice.run("key", "show").expect(0).record("identity")
    #expect(shown["key"] == made["key"])
    #expect(shown["fingerprint"] == made["fingerprint"])

    let text = try String(contentsOfFile: alice.keyFile, encoding: .utf8)
    let lines = text.split(separator: "\n")
    #expect(lines.first.map(String.init) == made["key"])
    #expect(lines.last?.hasPrefix("SECCHAT-SECRET-KEY-1") == true)
  }

  @Test func `an identity is never overwritten`() async throws {
    let world = try World()
    let alice = try await world.identity("alice")
    let before = try Data(contentsOf: URL(filePath: alice.keyFile))
    try await alice.run("keygen").expect(1)
    #expect(try Data(contentsOf: URL(filePath: alice.keyFile)) == before)
  }

  @Test func `an empty passphrase is refused`() async throws {
    let world = try World()
    let alice = try world.profile("alice")
    let empty = try world.folder.write("empty", "\n")
    try await alice.run("keygen", passphraseFile: empty).expect(1)
    #expect(!FileManager.default.fileExists(atPath: alice.keyFile))
  }

  @Test func `the passphrase comes from a file, a descriptor, standard input or the environment's file`()
    async throws
  {
    let world = try World()
    for (index, way) in ["--passphrase-file=-", "--passphrase-fd=0"].enumerated() {
      let program = try Program(
        "secchat", ["--home", world.folder.file("p\(index)"), "--json", way, "keygen"], input: "secret\n")
      #expect(try await program.finish() == 0, "\(program.report)")
    }
    let file = try world.folder.write("passphrase", "secret\n")
    let program = try Program(
      "secchat", ["--json", "keygen"],
      environment: ["SECCHAT_HOME": world.folder.file("p2"), "SECCHAT_PASSPHRASE_FILE": file])
    #expect(try await program.finish() == 0, "\(program.report)")
    // And from nowhere else.
    let asked = try Program("secchat", ["--home", world.folder.file("p3"), "--json", "keygen"])
    #expect(try await asked.finish() != 0)
    for option in ["--passphrase=secret", "--password=secret"] {
      let refused = try Program("secchat", ["--home", world.folder.file("p4"), option, "keygen"])
      #expect(try await refused.finish() == 1)
    }
  }

  @Test func `a key file that others may read is refused`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    try setPermissions(0o644, of: alice.keyFile)
    #expect(try await alice.run("list").status != 0)
    try setPermissions(0o600, of: alice.keyFile)
    try setPermissions(0o755, of: alice.home)
    #expect(try await alice.run("list").status != 0)
    try setPermissions(0o700, of: alice.home)
    try await alice.run("list").expect(0)
  }

  @Test func `a damaged key file is told from a wrong passphrase`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let wrong = try world.folder.write("wrong", "not the passphrase\n")
    try await alice.run("list", passphraseFile: wrong).expect(7)

    let whole = try Data(contentsOf: URL(filePath: alice.keyFile))
    for position in [0, 20, 75, 100, whole.count / 2, whole.count - 3] {
      var damaged = whole
      damaged[position] = damaged[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      try damaged.write(to: URL(filePath: alice.keyFile))
      try setPermissions(0o600, of: alice.keyFile)
      try await alice.run("list").expect(8)
    }
    for length in [0, 1, whole.count / 2] {
      try whole.prefix(length).write(to: URL(filePath: alice.keyFile))
      try setPermissions(0o600, of: alice.keyFile)
      try await alice.run("list").expect(8)
    }
    try whole.write(to: URL(filePath: alice.keyFile))
    try setPermissions(0o600, of: alice.keyFile)
    try await alice.run("list").expect(0)
  }
}
