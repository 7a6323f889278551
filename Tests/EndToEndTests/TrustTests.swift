import Foundation
import TestSupport
import Testing

@Suite struct TrustTests {
  @Test func `both see one safety number, and comparing it marks the peer`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let alices = try await alice.daemon()
    let ours = try await alice.run("verify", "bob").expect(0).record("safety-number")
    let theirs = try await bob.run("verify", "alice").expect(0).record("safety-number")
    let number = try #require(ours["number"])
    #expect(number.count == 60 && number.utf8.allSatisfy { 0x30...0x39 ~= $0 })
    #expect(theirs["number"] == number)
    #expect(ours["user"] == "bob" && ours.flag("verified") == false)

    var wrong = Array(number.utf8)
    wrong[59] = wrong[59] == 0x39 ? 0x30 : wrong[59] + 1
    try await alice.run("verify", "bob", String(decoding: wrong, as: UTF8.self)).expect(4)
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("verified") == false)

    // As a person types it, in groups.
    let groups = stride(from: 0, to: 60, by: 5).map { start in
      String(number.dropFirst(start).prefix(5))
    }
    let right = try await alice.run(words: ["verify", "bob", groups.joined(separator: " ")]).expect(0)
    #expect(try right.record("safety-number").flag("verified") == true)
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("verified") == true)
    // A wrong number does not take it away.
    try await alice.run("verify", "bob", String(decoding: wrong, as: UTF8.self)).expect(4)
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("verified") == true)
    try await bob.run("chat", "alice", "hello").expect(0)
    #expect(try await alices.record("message").flag("verified") == true)
  }

  @Test func `another identity key stops everything until it is trusted`() async throws {
    let world = try World()
    var registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon()
    try await alice.run("chat", "bob", "hello").expect(0)
    let number = try await alice.run("verify", "bob").expect(0).record("safety-number")["number"]
    try await alice.run("verify", "bob", try #require(number)).expect(0)
    let old = try await bob.fingerprint()
    try await bobs.stop()

    // A registry that gives bob's name to another: its accounts are new, its key is the old one.
    try await registry.program.stop()
    for file in try FileManager.default.contentsOfDirectory(atPath: world.folder.file("registry"))
    where file.hasPrefix("registry.db") {
      try FileManager.default.removeItem(atPath: world.folder.file("registry/" + file))
    }
    registry = try await world.registry(port: registry.port)
    try await alice.register(at: registry).expect(0)
    let other = try await world.identity("other")
    try await other.register(at: registry, as: "bob").expect(0)
    let others = try await other.daemon("--accept-files", "always")
    let new = try await other.fingerprint()

    let path = try world.folder.write("note", "text")
    for words in [["chat", "bob", "a secret"], ["send", "bob", path]] {
      let stopped = try await alice.run(words: words).expect(4)
      #expect(stopped.records("sent").isEmpty && stopped.records("done").isEmpty)
      let change = try stopped.record("key-change")
      #expect(change["old"] == old && change["new"] == new && change["verdict"] == "unexplained")
      #expect(change["user"] == "bob")
    }
    try await alice.run("trust", "bob", try await alice.fingerprint()).expect(4)
    try await alice.run("chat", "bob", "a secret").expect(4)

    try await alice.run("trust", "bob", new).expect(0)
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("verified") == false)
    try await alice.run("chat", "bob", "no secret").expect(0)
    // Nothing that was held back came after all.
    #expect(try await others.record("message")["text"] == "no secret")
  }

  @Test func `who poses as a peer at its address is not spoken to`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let mallory = try await world.user("mallory", at: registry)
    let bobs = try await bob.daemon("--listen", "127.0.0.1:0")
    let address = try #require(try await alice.run("lookup", "bob").expect(0).record("peer")["address"])
    try await bobs.destroy()
    let mallorys = try await mallory.daemon("--listen", address)
    let outcome = try await alice.run("chat", "bob", "for bob alone", "--timeout", "3")
    try outcome.expect(6)
    #expect(try outcome.record("sent")["state"] == "queued")
    #expect(!mallorys.lines.joined().contains("for bob alone"))
    // It waits for bob, and for nobody else.
    let again = try await bob.daemon("--listen", "127.0.0.1:0")
    try await alice.run("chat", "bob", "for him too").expect(0)
    for text in ["for bob alone", "for him too"] {
      #expect(try await again.record("message")["text"] == text)
    }
    #expect(!mallorys.lines.contains { Record($0)?.type == "message" })
  }
}
