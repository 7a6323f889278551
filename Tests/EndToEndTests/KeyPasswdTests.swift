import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// The passphrase changes under what is there, and under who is at work.
@Suite struct KeyPasswdTests {
  private static let change = ["key", "passwd", "--new-passphrase-file"]

  @Test func `killed at any moment, exactly one of the two passphrases opens it, and all is there`()
    async throws
  {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    _ = try await world.user("bob", at: registry)
    try await alice.run("chat", "bob", "still there").expect(6)
    let other = "another passphrase"
    var now = (text: alice.passphrase, file: alice.passphraseFile)
    var next = (text: other, file: try world.folder.write("other", other + "\n"))

    let begun = ContinuousClock.now
    try await alice.run(words: Self.change + [next.file], passphraseFile: now.file).expect(0)
    let whole = ContinuousClock.now - begun
    swap(&now, &next)
    for attempt in 0..<20 {
      let before = try bytes(alice.keyFile)
      let program = try alice.start(words: Self.change + [next.file], passphraseFile: now.file)
      if attempt.isMultiple(of: 2) {
        try await Task.sleep(for: whole * Double.random(in: 0...1))
      } else {
        // As soon as anything is written.
        while program.isRunning,
          try FileManager.default.contentsOfDirectory(atPath: alice.home)
            .allSatisfy({ !$0.hasPrefix("identity.key.") }), try bytes(alice.keyFile) == before
        { await Task.yield() }
      }
      try await program.destroy()
      guard try bytes(alice.keyFile) != before else { continue }
      #expect(try opens(alice.keyFile, next.text), "killed the \(attempt)th time")
      #expect(try !opens(alice.keyFile, now.text), "killed the \(attempt)th time")
      swap(&now, &next)
    }
    #expect(try permissions(of: alice.keyFile) == 0o600)
    try await alice.run("history", passphraseFile: next.file).expect(7)
    let history = try await alice.run("history", passphraseFile: now.file).expect(0).records("message")
    #expect(history.map { $0["text"] } == ["still there"])
    // What a kill has left is in nobody's way.
    try await alice.run(words: Self.change + [next.file], passphraseFile: now.file).expect(0)
    try await alice.run("list", passphraseFile: next.file).expect(0)
    #expect(!FileManager.default.fileExists(atPath: alice.keyFile + ".new"))
  }

  @Test func `changed by several at once, it opens with one that was said to be right`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let wanted = ["one", "two", "three", "four"].map { "passphrase \($0)" }
    var programs: [(text: String, program: Program)] = []
    for text in wanted {
      let file = try world.folder.write(text, text + "\n")
      programs.append((text, try alice.start(words: Self.change + [file])))
    }
    var right: [String] = []
    for (text, program) in programs {
      let status = try await program.finish()
      #expect([0, 7].contains(status))
      if status == 0 { right.append(text) }
    }
    #expect(try right.contains { try opens(alice.keyFile, $0) })
    #expect(!FileManager.default.fileExists(atPath: alice.keyFile + ".new"))
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  private func opens(_ path: String, _ passphrase: String) throws -> Bool {
    let file = try KeyFile(decoding: String(contentsOfFile: path, encoding: .utf8))
    do throws(KeyFile.Failure) {
      _ = try file.open(passphrase: Array(passphrase.utf8).raw)
      return true
    } catch {
      guard error == .wrongPassphrase else { throw error }
      return false
    }
  }

  @Test func `beside a running daemon the new one counts from then on`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let (alices, bobs) = (try await alice.daemon(), try await bob.daemon())
    let fresh = try world.folder.write("fresh", "another passphrase\n")
    try await alice.run("list", passphraseFile: fresh).expect(7)
    let changed = try await alice.run(words: Self.change + [fresh]).expect(0)
    #expect(
      changed.errors.contains("copies of the key file made before still open with the old passphrase"),
      "\(changed)")
    for words in [["list"], ["chat", "bob", "hello"], ["history"], ["history", "export"]] {
      try await alice.run(words: words, passphraseFile: fresh).expect(0)
      try await alice.run(words: words).expect(7)
    }
    #expect(try await bobs.record("message")["text"] == "hello")
    // The daemon goes on.
    try await bob.run("chat", "alice", "and back").expect(0)
    #expect(try await alices.record("message")["text"] == "and back")
    try await alices.stop()
    try await alice.run("history").expect(7)
    try await alice.run("history", passphraseFile: fresh).expect(0)
    try await bobs.stop()
  }
}
