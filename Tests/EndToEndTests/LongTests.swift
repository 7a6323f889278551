import Foundation
import TestSupport
import Testing

/// What takes minutes: `scripts/test --full`.
@Suite(.serialized) struct LongTests {
  @Test(.long) func `a file of three gigabytes`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let alice = try await world.user("alice", at: registry)
    let bob = try await world.user("bob", at: registry)
    let bobs = try await bob.daemon("--accept-files", "always")
    let path = try world.folder.write("large", "the beginning")
    let size: UInt64 = 3_000_000_000
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: size)
    try handle.seek(toOffset: size - 7)
    try handle.write(contentsOf: Data("the end".utf8))
    try handle.close()

    let program = try alice.start(words: ["send", "bob", path])
    #expect(try await program.finish(within: .seconds(600)) == 0, "\(program.report)")
    let received = try #require(try await bobs.record("file")["path"])
    let copy = try #require(FileHandle(forReadingAtPath: received))
    #expect(try copy.read(upToCount: 13) == Data("the beginning".utf8))
    #expect(try copy.seekToEnd() == size)
    try copy.seek(toOffset: size - 7)
    #expect(try copy.readToEnd() == Data("the end".utf8))
  }

  /// Killed while it works, again and again: what it has answered, it has.
  @Test(.long) func `what a registry has acknowledged survives its being killed at any moment`() async throws
  {
    let world = try World()
    var registry = try await world.registry(data: "registry", port: 0)
    let port = registry.port
    let keyHolder = try await world.identity("holder")
    var acknowledged: [String] = []
    for round in 0..<20 {
      let running = registry
      let killer = Task {
        try await Task.sleep(for: .milliseconds(Int.random(in: 50...1_500)))
        running.program.signal(SIGKILL)
      }
      for number in 0..<10 {
        let name = "user-\(round)-\(number)"
        let home = world.folder.file(name)
        try FileManager.default.createDirectory(
          atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try FileManager.default.copyItem(atPath: keyHolder.keyFile, toPath: home + "/identity.key")
        let user = Profile(
          name: name, home: home, passphrase: keyHolder.passphrase, passphraseFile: keyHolder.passphraseFile)
        let outcome = try await user.register(at: registry, port: port)
        if outcome.status != 0 { break }
        acknowledged.append(name)
      }
      try await killer.value
      _ = try await registry.program.finish()
      registry = try await world.registry(data: "registry", port: port)
    }
    #expect(!acknowledged.isEmpty)
    let asker = try await world.user("asker", at: registry)
    for name in acknowledged { try await asker.run("lookup", name).expect(0) }
  }
}
