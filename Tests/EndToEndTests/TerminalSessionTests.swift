import Foundation
import TestSupport
import Testing

/// What a person at a terminal meets: `script` gives the program one of its own.
@Suite struct TerminalSessionTests {
  /// A person's session.
  private struct Session {
    let program: Program

    init(_ words: [String]) throws {
      let quoted = ([Program.path("secchat")] + words).map { "'\($0)'" }.joined(separator: " ")
      program = try Program(
        "/usr/bin/script", ["--quiet", "--flush", "--return", "--command", quoted, "/dev/null"],
        environment: ["TERM": "xterm", "SHELL": "/bin/sh"], input: nil)
    }

    var screen: String { program.lines.joined(separator: "\n") }

    /// Types a line once a text is on the screen.
    func answer(_ text: String, with line: String) async throws {
      try await program.shows(text)
      program.say(line)
    }
  }

  @Test func `an identity and a registry, with everything asked for`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let home = world.folder.file("alice")
    let passphrase = "correct horse"

    let keygen = try Session(["--home", home, "keygen"])
    try await keygen.answer("New passphrase:", with: passphrase)
    try await keygen.answer("The same again:", with: passphrase)
    #expect(try await keygen.program.finish() == 0, "\(keygen.screen)")
    #expect(keygen.screen.contains("secchat-pub-1"))
    #expect(!keygen.screen.contains(passphrase), "it was echoed")

    let refused = try Session(["--home", home, "register", "alice@127.0.0.1:\(registry.port)"])
    try await refused.answer("Passphrase", with: passphrase)
    try await refused.answer("(yes/no", with: "no")
    #expect(try await refused.program.finish() == 4, "\(refused.screen)")

    let register = try Session(["--home", home, "register", "alice@127.0.0.1:\(registry.port)"])
    try await register.answer("Passphrase", with: passphrase)
    try await register.answer("(yes/no", with: "yes")
    #expect(try await register.program.finish() == 0, "\(register.screen)")
    #expect(register.screen.contains("registered as"))
    #expect(!register.screen.contains(passphrase), "it was echoed")
  }

  @Test func `the shell, with a message that comes while it waits`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let bob = try await world.user("bob", at: registry)
    let bobs = try await bob.daemon()
    let shell = try Session(["--home", alice.home, "--passphrase-file", alice.passphraseFile])
    try await shell.program.shows("127.0.0.1:")
    shell.program.say("list")
    try await shell.program.shows("bob")
    shell.program.say("chat bob hello from the shell")
    #expect(try await bobs.record("message")["text"] == "hello from the shell")
    try await bob.run("chat", "alice", "hello \u{1B}[31mback\u{07}").expect(0)
    try await shell.program.shows("hello back")
    #expect(!shell.screen.contains("\u{1B}[31mback") && !shell.screen.contains("\u{07}"))
    shell.program.say("quit")
    #expect(try await shell.program.finish() == 0, "\(shell.screen)")
  }

  @Test func `who wants to know whether it was read learns it, unless the reader does not tell`() async throws
  {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let alices = try await alice.daemon()
    for receipts in ["on", "off"] {
      let shell = try Session([
        "--home", bob.home, "--passphrase-file", bob.passphraseFile, "login", "--read-receipts", receipts,
      ])
      try await shell.program.shows("127.0.0.1:")
      let tells = receipts == "on"
      let outcome = try await alice.run(
        "chat", "bob", "receipts are \(receipts)", "--wait", "read", "--timeout", tells ? "30" : "2")
      try outcome.expect(tells ? 0 : 6)
      #expect(try outcome.record("sent")["state"] == (tells ? "read" : "delivered"))
      try await shell.program.shows("receipts are \(receipts)")
      shell.program.say("quit")
      #expect(try await shell.program.finish() == 0, "\(shell.screen)")
    }
    let told = try await alice.run("history", "bob").expect(0).records("message").map { $0["state"] }
    #expect(told == ["read", "delivered"])
    try await alices.stop()
  }

  @Test func `a bar hides neither that a folder has gone nor what was left out of it`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let bob = try await world.user("bob", at: registry)
    let bobs = try await bob.daemon("--accept-files", "always")
    let tree = world.folder.file("tree")
    try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
    try Data(count: 300_000).write(to: URL(filePath: tree + "/file"))
    try FileManager.default.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "nowhere")
    let send = try Session(
      ["--home", alice.home, "--passphrase-file", alice.passphraseFile, "send", "bob", tree])
    #expect(try await send.program.finish() == 0, "\(send.screen)")
    #expect(send.screen.contains("100%"), "\(send.screen)")
    #expect(send.screen.contains("1 link or device left out"), "\(send.screen)")
    try await bobs.stop()
  }
}

extension Program {
  /// Waits until a text is on the screen, also on a line that has not ended.
  fileprivate func shows(_ text: String) async throws {
    try await eventually("\(text) on the screen:\n\(output)") { () async throws -> Bool in
      output.contains(text)
    }
  }
}
