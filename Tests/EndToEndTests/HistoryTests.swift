import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// The past, as its owner reads it and nobody else does.
@Suite struct HistoryTests {
  /// Alice and bob, whose daemon runs.
  private struct Pair {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let bobs: Program

    init() async throws {
      world = try World()
      registry = try await world.registry()
      alice = try await world.user("alice", at: registry)
      bob = try await world.user("bob", at: registry)
      bobs = try await bob.daemon()
    }
  }

  private func texts(_ profile: Profile, _ words: String...) async throws -> [String] {
    try await profile.run(words: ["history"] + words).expect(0).records("message").compactMap { $0["text"] }
  }

  @Test func `past messages are read by both, oldest first, with a daemon and without`() async throws {
    let pair = try await Pair()
    let alices = try await pair.alice.daemon()
    for number in 0..<3 {
      try await pair.alice.run("chat", "bob", "to bob \(number)").expect(0)
      try await pair.bob.run("chat", "alice", "to alice \(number)").expect(0)
    }
    let all = (0..<3).flatMap { ["to bob \($0)", "to alice \($0)"] }
    for profile in [pair.alice, pair.bob] {
      #expect(try await texts(profile) == all)
      #expect(
        try await texts(profile, profile.name == "alice" ? "bob" : "alice", "--limit", "2") == all.suffix(2))
    }
    try await alices.stop()
    let records = try await pair.alice.run("history", "bob").expect(0).records("message")
    #expect(records.map { $0["from"] } == (0..<3).flatMap { _ in ["alice", "bob"] })
    #expect(records.map { $0["state"] } == (0..<3).flatMap { _ in ["delivered", nil] })
    #expect(try await texts(pair.alice, "--since", "1h") == all)
    #expect(try await texts(pair.alice, "--since", "2001-01-01", "--limit", "1") == ["to alice 2"])
    #expect(try await pair.alice.run("history", "carol").expect(0).lines.isEmpty)
    try await pair.alice.run("history", "bob", "--limit", "0").expect(1)
    try await pair.alice.run("history", "bob", passphraseFile: pair.bob.passphraseFile).expect(7)
    #expect(try await texts(pair.alice).count == 6, "a wrong passphrase did harm")
  }

  @Test func `since a time: what is older is left out`() async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "early").expect(0)
    // Times are told in whole seconds.
    let between = Int(Date().timeIntervalSince1970) + 1
    try await eventually("the clock goes on") { Date().timeIntervalSince1970 >= Double(between) }
    try await pair.alice.run("chat", "bob", "late").expect(0)
    for profile in [pair.alice, pair.bob] {
      #expect(try await texts(profile, "--since", "\(between)") == ["late"])
      #expect(try await texts(profile, "--since", "\(between)", "--limit", "5") == ["late"])
      #expect(try await texts(profile, "--since", "\(between)", "--search", "early") == [])
      #expect(try await texts(profile, "--since", "\(between - 3_600)") == ["early", "late"])
    }
    try await pair.alice.run("history", "--since", "\(Int.max)").expect(0)
    try await pair.alice.run("history", "--since", "yesterday").expect(1)
  }

  @Test func `a search regards neither case nor accents`() async throws {
    let pair = try await Pair()
    for text in ["Grüße aus Köln", "GRUSSE", "nothing of it", "e\u{301}te\u{301}"] {
      try await pair.alice.run("chat", "bob", text).expect(0)
    }
    #expect(try await texts(pair.bob, "--search", "grusse") == ["Grüße aus Köln", "GRUSSE"])
    #expect(try await texts(pair.alice, "bob", "--search", "KOLN") == ["Grüße aus Köln"])
    #expect(try await texts(pair.alice, "--search", "Été") == ["e\u{301}te\u{301}"])
    #expect(try await texts(pair.alice, "--search", "elsewhere") == [])
  }

  @Test func `what is deleted is in no file any more, and neither is its key`() async throws {
    let pair = try await Pair()
    let alices = try await pair.alice.daemon()
    for number in 0..<20 { try await pair.alice.run("chat", "bob", "long ago \(number)").expect(0) }
    let path = pair.alice.home + "/profile.db"
    func column(_ sql: String) throws -> [[UInt8]] {
      try Self.sqlite(path, sql).split(separator: "\n").compactMap { Hex.decode(String($0)) }
    }
    let key = try #require(try column("SELECT hex(key) FROM conversations").first)
    let bodies = try column("SELECT hex(body) FROM messages WHERE body IS NOT NULL")
    #expect(bodies.count == 20)
    func found() -> Set<String> {
      let parts = bodies.map { Array($0.dropFirst(24).prefix(24)) } + [Array(key.dropFirst(24).prefix(24))]
      return parts.reduce(into: []) { found, part in
        found.formUnion(Canaries(of: Hex.encode(part), part).found(below: pair.alice.home))
      }
    }
    #expect(found().count >= 21, "the search finds what is there")
    try await pair.alice.run("history", "delete", "bob").expect(0)
    #expect(found().isEmpty)
    #expect(try await texts(pair.alice, "bob") == [])
    #expect(try await texts(pair.bob, "alice").count == 20, "it is bob's as well")
    // The conversation goes on.
    try await pair.alice.run("chat", "bob", "and now?").expect(0)
    #expect(try await texts(pair.alice, "bob") == ["and now?"])
    try await pair.alice.run("history", "delete", "carol").expect(1)
    try await alices.stop()
    #expect(found().isEmpty)
  }

  @Test func `what is to be forgotten is, by both`() async throws {
    let pair = try await Pair()
    let alices = try await pair.alice.daemon()
    try await pair.alice.run("chat", "bob", "--expires", "2s", "for a moment").expect(0)
    try await pair.alice.run("chat", "bob", "--expires", "1h", "for an hour").expect(0)
    try await pair.alice.run("chat", "bob", "for good").expect(0)
    for profile in [pair.alice, pair.bob] {
      try await eventually("only the first is gone") { () async throws -> Bool in
        try Self.sqlite(profile.home + "/profile.db", "SELECT count(*) FROM messages WHERE body IS NOT NULL")
          == "2"
      }
      #expect(try await texts(profile) == ["for an hour", "for good"])
    }
    // By default, for all messages to somebody.
    try await pair.alice.run("history", "expire", "bob", "2s").expect(0)
    try await pair.alice.run("chat", "bob", "by default").expect(0)
    try await pair.alice.run("chat", "bob", "--expires", "0", "stays").expect(0)
    for profile in [pair.alice, pair.bob] {
      try await eventually("the default counts") { () async throws -> Bool in
        try await texts(profile) == ["for an hour", "for good", "stays"]
      }
    }
    try await alices.stop()
  }

  @Test func `an export is plain text, and asks for the passphrase`() async throws {
    let pair = try await Pair()
    let alices = try await pair.alice.daemon()
    try await pair.alice.run("chat", "bob", "for export").expect(0)
    let outcome = try await pair.alice.run("history", "export").expect(0)
    #expect(outcome.records("message").map { $0["text"] } == ["for export"])
    #expect(outcome.errors.contains("plain text"))
    try await pair.alice.run("history", "export", passphraseFile: pair.bob.passphraseFile).expect(7)
    try await alices.stop()
  }

  /// Who sits down at a computer on which a daemon runs may read, and write, but takes nothing away in plain text.
  @Test func `an export asks for the passphrase beside a running daemon too`() async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "for export").expect(0)
    func run(_ words: [String]) async throws -> Outcome {
      let program = try Program("secchat", ["--home", pair.bob.home, "--json"] + words)
      let status = try await program.finish()
      return Outcome(command: "\(words)", status: status, lines: program.lines, errors: program.errors)
    }
    for words in [["history", "export"], ["history", "export", "alice"]] {
      let refused = try await run(words).expect(7)
      #expect(refused.records("message").isEmpty)
      #expect(!(refused.lines.joined() + refused.errors).contains("for export"), "\(refused)")
    }
    // The daemon itself would have answered.
    let shown = try await run(["history"]).expect(0)
    #expect(shown.records("message").map { $0["text"] } == ["for export"])
  }

  @Test func `a new passphrase opens what the old one sealed`() async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "before").expect(0)
    let backup = try Data(contentsOf: URL(filePath: pair.alice.keyFile))
    let fresh = try pair.world.folder.write("fresh", "another passphrase\n")
    let empty = try pair.world.folder.write("empty", "\n")
    let change = ["key", "passwd", "--new-passphrase-file"]
    try await pair.alice.run(words: change + [fresh], passphraseFile: pair.bob.passphraseFile).expect(7)
    try await pair.alice.run(words: change + [empty]).expect(1)
    #expect(try Data(contentsOf: URL(filePath: pair.alice.keyFile)) == backup)
    try await pair.alice.run(words: change + [fresh]).expect(0)
    #expect(try permissions(of: pair.alice.keyFile) == 0o600)
    try await pair.alice.run("history").expect(7)
    var alice = pair.alice
    alice.passphraseFile = fresh
    #expect(try await texts(alice) == ["before"])
    try await alice.run("chat", "bob", "after").expect(0)
    // The old copy still opens with the old one, as it is said to.
    try backup.write(to: URL(filePath: pair.alice.keyFile))
    try setPermissions(0o600, of: pair.alice.keyFile)
    #expect(try await texts(pair.alice) == ["before", "after"])
  }

  @Test func `who names some messages does not lose all of them`() async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "of today").expect(0)
    for words in [["--since", "1h"], ["--search", "x"], ["--limit", "1"]] {
      let refused = try await pair.alice.run(words: ["history", "delete", "bob"] + words).expect(1)
      #expect(refused.errors.contains("\(words[0]) does not go with them"), "\(refused)")
      try await pair.alice.run(words: ["history", "expire", "bob", "1h"] + words).expect(1)
    }
    #expect(try await texts(pair.alice) == ["of today"])
  }

  /// What a statement answers, a row a line.
  private static func sqlite(_ path: String, _ sql: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import sqlite3, sys; [print(row[0]) for row in sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True).execute(sys.argv[2])]",
      path, sql,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
