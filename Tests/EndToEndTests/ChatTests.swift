import Foundation
import TestSupport
import Testing

@Suite struct ChatTests {
  @Test func `a message each way, to a daemon and through one`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon()

    let text = "Grüße \u{1F44B} \u{1B}[31m \u{202E} \"quoted\" \\ and a\ttab"
    let before = Date().timeIntervalSince1970
    let sent = try await alice.run("chat", "bob", text).expect(0).record("sent")
    #expect(sent["to"] == "bob" && sent["state"] == "delivered")
    let message = try await bobs.record("message")
    #expect(message.names.isSuperset(of: ["v", "type", "id", "from", "to", "text", "time", "verified"]))
    #expect(message["text"] == text)
    #expect(message["from"] == "alice" && message["to"] == "bob" && message["id"] == sent["id"])
    #expect(message.flag("verified") == false)
    let time = try #require(message.number("time"))
    #expect(abs(time - before) < 60)

    // Through the daemons on both sides; a command needs no passphrase then.
    let alices = try await alice.daemon()
    let back = try await bob.run("chat", "alice", "two", "words").expect(0).record("sent")
    let answer = try await alices.record("message")
    #expect(answer["text"] == "two words" && answer["id"] == back["id"])
    let without = try Program("secchat", ["--home", bob.home, "--json", "chat", "alice", "again"])
    #expect(try await without.finish() == 0, "\(without.report)")
    let again = try await alices.record("message")
    #expect(again["text"] == "again")
    // But a wrong one is noticed.
    let wrong = try world.folder.write("wrong", "not the passphrase\n")
    try await bob.run("chat", "alice", "no", passphraseFile: wrong).expect(7)

    try await alices.stop()
    try await bobs.stop()
    try await registry.program.stop()
  }

  @Test func `many messages from standard input arrive once and in order`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon()
    let texts = (0..<200).map { "message \($0) " + String(repeating: "x", count: $0 * 7) }
    let sent = try await alice.run("chat", "bob", "-", input: texts.joined(separator: "\n") + "\n").expect(0)
    #expect(sent.records("sent").count == texts.count)
    for text in texts { #expect(try await bobs.record("message")["text"] == text) }
    #expect(Set(sent.records("sent").map { $0["id"] }).count == texts.count)
  }

  @Test func `nobody of that name, nobody there, and nothing is said to be delivered`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let unknown = try await alice.run("chat", "nobody", "hello").expect(1)
    #expect(unknown.records("sent").isEmpty)
    let offline = try await alice.run("chat", "bob", "the first").expect(6)
    let kept = try offline.record("sent")
    #expect(kept["to"] == "bob" && kept["state"] == "queued")
    #expect(try offline.record("error")["message"]?.contains("the message waits") == true)

    // It is kept, and goes before the next.
    let bobs = try await bob.daemon()
    try await alice.run("chat", "bob", "the second").expect(0)
    let message = try await bobs.record("message")
    #expect(message["text"] == "the first" && message["id"] == kept["id"])
    #expect(try await bobs.record("message")["text"] == "the second")
    // One that goes without a word.
    try await bobs.destroy()
    let gone = try await alice.run("chat", "bob", "the third", "--timeout", "3").expect(6)
    #expect(try gone.record("sent")["state"] == "queued")
    let again = try await bob.daemon()
    try await alice.run("chat", "bob", "the fourth").expect(0)
    for text in ["the third", "the fourth"] { #expect(try await again.record("message")["text"] == text) }
    #expect(try await alice.run("outbox").expect(0).records.isEmpty)
  }

  @Test func `a profile has one node`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let daemon = try await alice.daemon()
    try await alice.run("daemon").expect(1)
    #expect(daemon.isRunning)
    // What a killed one leaves does not keep the next from starting.
    try await daemon.destroy()
    let next = try await alice.daemon()
    try await alice.run("list").expect(0)
    try await next.stop()
  }

  @Test(arguments: ["localhost:7500", "192.0.2.1:0", "127.0.0.1:1x"])
  func `an address that cannot be listened on is not kept`(address: String) async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let refused = try await alice.run("daemon", "--listen", address)
    #expect(refused.status == 1 || refused.status == 3, "\(refused.errors)")
    try await alice.daemon().stop()
  }

  @Test func `who is there, and what a look-up says`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let offline = try await alice.run("lookup", "bob").expect(0).record("peer")
    #expect(offline.flag("online") == false)
    let bobs = try await bob.daemon("--listen", "127.0.0.1:0")

    let names: Set = ["v", "type", "user", "online", "address", "key", "fingerprint", "verified"]
    let listed = try await alice.run("list").expect(0).record("peer")
    let found = try await alice.run("lookup", "bob").expect(0).record("peer")
    let own = try await bob.run("key", "show").expect(0).record("identity")
    for peer in [listed, found] {
      #expect(peer.names.isSuperset(of: names))
      #expect(peer["user"] == "bob" && peer.flag("online") == true && peer.flag("verified") == false)
      #expect(peer["key"] == own["key"] && peer["fingerprint"] == own["fingerprint"])
      #expect(peer["address"]?.hasPrefix("127.0.0.1:") == true)
    }
    // Oneself included.
    #expect(try await bob.run("list").expect(0).record("peer")["user"] == "bob")
    try await bobs.stop()
    #expect(try await alice.run("list").expect(0).records("peer").isEmpty)
  }

  @Test func `logged out until login`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon()
    try await alice.run("logout").expect(0)
    for words in [["list"], ["lookup", "bob"], ["chat", "bob", "hello"], ["send", "bob", "/etc/hostname"]] {
      try await alice.run(words: words).expect(7)
    }
    let online = try await alice.run("login", input: "chat bob hello\nquit\n")
    #expect(online.status == 0, "\(online)")
    #expect(online.records.first?.type == "online", "\(online)")
    #expect(online.records("online").first?["user"] == "alice")
    #expect(online.records("sent").count == 1)
    let message = try await bobs.record("message")
    #expect(message["text"] == "hello")
    try await alice.run("list").expect(0)

    // A running daemon goes offline too, and stays for the next login.
    try await bob.run("logout").expect(0)
    #expect(try await alice.run("lookup", "bob").expect(0).record("peer").flag("online") == false)
    try await bob.run("list").expect(7)
  }

  @Test func `the shell's own commands, and their other names`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let bob = try await world.user("bob", at: registry)
    let bobs = try await bob.daemon()
    let alice = try await world.identity("alice")
    let shell = try alice.start(words: ["login"], input: nil)
    shell.say("reg alice@\(registry.url)")
    _ = try await shell.record("registered")
    shell.say("login")
    _ = try await shell.record("online")
    shell.say("list")
    _ = try await shell.record("peer") { $0["user"] == "bob" }
    shell.say("chat bob a whole line, 'as typed'")
    _ = try await shell.record("sent")
    #expect(try await bobs.record("message")["text"] == "a whole line, 'as typed'")
    try await bob.run("chat", "alice", "and back").expect(0)
    _ = try await shell.record("message") { $0["text"] == "and back" }
    shell.say("logout")
    shell.say("quit")
    _ = try await shell.finish()
    // Nothing went wrong but the login before there was an account.
    let errors = shell.lines.compactMap { Record($0) }.filter { $0.type == "error" }
    #expect(errors.count <= 1, "\(shell.report)")
  }
}
