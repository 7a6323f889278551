import Foundation
import TestSupport
import Testing

@Suite struct RegisterTests {
  @Test func `a name is claimed once, and again by the same keys`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.identity("alice")
    let first = try await alice.register(at: registry).expect(0).record("registered")
    #expect(first["user"] == "alice@127.0.0.1:\(registry.port)")
    try await alice.register(at: registry).expect(0)

    let mallory = try await world.identity("mallory")
    try await mallory.register(at: registry, as: "alice").expect(1)
    // It is still the first one's.
    let shown = try await alice.run("key", "show").expect(0).record("identity")
    try await mallory.register(at: registry).expect(0)
    let found = try await mallory.run("lookup", "alice").expect(0).record("peer")
    #expect(found["key"] == shown["key"])
  }

  @Test func `the whole address of a registry will do`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.identity("alice")
    try await alice.run("register", "Alice@\(registry.url)").expect(0)
    #expect(try await alice.run("lookup", "alice").expect(0).record("peer")["user"] == "alice")
  }

  @Test func `an unknown registry is not trusted without a person`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.identity("alice")
    try await alice.run("register", "alice@127.0.0.1:\(registry.port)").expect(4)
    let bob = try await world.user("bob", at: registry)
    try await bob.run("lookup", "alice").expect(1)
  }

  @Test func `another key than the one given, or than the one known, is refused`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let other = try await world.registry(data: "other")
    let alice = try await world.identity("alice")
    try await alice.run(
      "register", "alice@127.0.0.1:\(registry.port)", "--registry-key", other.key
    ).expect(4)
    try await alice.register(at: registry).expect(0)
    try await registry.program.stop()
    let impostor = try await world.registry(data: "impostor", port: registry.port)
    try await alice.run("register", "alice@127.0.0.1:\(registry.port)").expect(4)
    try await alice.register(at: impostor).expect(4)
    try await alice.run("list").expect(4)
  }

  @Test func `a registry that is not there`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    try await registry.program.stop()
    try await alice.run("list").expect(3)
    try await alice.run("lookup", "alice").expect(3)
    try await alice.register(at: registry).expect(3)
    let bob = try await world.identity("bob")
    // A label too long for any question: nobody is asked.
    let nowhere = String(repeating: "x", count: 64) + ".invalid"
    try await bob.run("register", "bob@\(nowhere)", "--registry-key", registry.key).expect(3)
  }

  @Test(arguments: ["al", "-al", ".al", "a b c", "Ålice", "alice/", String(repeating: "a", count: 33), "a@b"])
  func `what is no name`(name: String) async throws {
    let world = try World()
    let alice = try await world.identity("alice")
    try await alice.run(words: ["register", "--", "\(name)@127.0.0.1:1"]).expect(1)
  }

  @Test func `killed at any time, it starts again with every account`() async throws {
    let world = try World()
    var registry = try await world.registry()
    for name in ["alice", "bob", "carol"] {
      _ = try await world.user(name, at: registry)
      try await registry.program.destroy()
      registry = try await world.registry(port: registry.port)
    }
    let dora = try await world.user("dora", at: registry)
    for name in ["alice", "bob", "carol"] { try await dora.run("lookup", name).expect(0) }
    #expect(try permissions(of: world.folder.file("registry/registry.key")) == 0o600)
    #expect(try permissions(of: world.folder.file("registry/registry.db")) == 0o600)
    try await registry.program.stop()
  }
}
