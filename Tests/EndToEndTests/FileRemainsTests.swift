import Foundation
import TestSupport
import Testing

/// What is left: out of what is sent, and behind by what was cut short.
@Suite struct FileRemainsTests {
  @Test func `links and pipes are left out and counted`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon("--accept-files", "always")
    let tree = world.folder.file("tree")
    try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
    try Data("text".utf8).write(to: URL(filePath: tree + "/file"))
    try FileManager.default.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "/etc/passwd")
    let pipe = unsafe mkfifo(tree + "/pipe", 0o600)
    try #require(pipe == 0)
    let single = try world.folder.write("single", "text")
    let outcome = try await alice.run("send", "bob", tree, single).expect(0)
    let done = outcome.records("done")
    #expect(done.map { $0.number("skipped") } == [2, nil])
    #expect(done.allSatisfy { $0.number("resumed_from") == 0 })
    let file = try await bobs.record("file")
    #expect(file.number("resumed_from") == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: #require(file["path"])) == ["file"])
  }

  @Test(.needsRoot) func `two senders are not promised the same room`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let downloads = world.folder.file("disk")
    try FileManager.default.createDirectory(atPath: downloads, withIntermediateDirectories: false)
    try #require(unsafe mount("tmpfs", downloads, "tmpfs", 0, "size=10m") == 0)
    defer { unsafe umount2(downloads, 2) }
    var users: [Profile] = []
    for name in ["alice", "bob", "carol"] { users.append(try await world.user(name, at: registry)) }
    let bobs = try await users[1].daemon("--accept-files", "always", "--downloads", downloads)
    let path = try world.folder.write("six", Data(count: 6_000_000))
    let slow = try users[0].start(words: ["send", "bob", path, "--limit-rate", "1M"])
    // It has been accepted once the first bytes are on their way.
    _ = try await slow.record("progress")
    let refused = try await users[2].run("send", "bob", path).expect(9)
    #expect(try refused.record("error")["message"]?.contains("no room") == true)
    _ = try await bobs.record("file", within: .seconds(60))
    #expect(try await slow.finish() == 0)
  }

  @Test func `what a crash left stays while it may go on, and else goes when the node starts`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let bobs = try await bob.daemon("--accept-files", "always")
    let path = try world.folder.write("canary-of-a-name", Data(count: 5_000_000))
    let sending = try alice.start(words: ["send", "bob", path, "--limit-rate", "100k"])
    _ = try await sending.record("progress")
    let inbox = bob.home + "/downloads/alice"
    func remains() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: inbox).filter { $0.hasSuffix(".part") }.sorted()
    }
    try await eventually("a part of the file and its journal") { try remains().count == 2 }
    let parts = try remains()
    #expect(!parts.contains { $0.contains("canary") })
    // Nor is the name in what is noted of it on either side.
    let noted = parts.filter { $0.contains("journal") }.map { inbox + "/" + $0 }
    #expect(noted.count == 1)
    for file in noted + [alice, bob].flatMap({ [$0.home + "/profile.db", $0.home + "/profile.db-wal"] }) {
      guard let bytes = FileManager.default.contents(atPath: file) else { continue }
      #expect(bytes.range(of: Data("canary".utf8)) == nil, "\(file)")
    }
    try await bobs.destroy()
    _ = try await sending.finish()
    #expect(try remains() == parts)
    // Of transfers that nobody knows.
    for name in [".x.0123abcd.part", ".secchat-\(String(repeating: "0", count: 32))-0.part"] {
      try Data([1]).write(to: URL(filePath: inbox + "/" + name))
    }
    try FileManager.default.createDirectory(
      atPath: bob.home + "/downloads/not ours", withIntermediateDirectories: false)
    let foreign = bob.home + "/downloads/not ours/.x.0123abcd.part"
    try Data([1]).write(to: URL(filePath: foreign))
    let again = try await bob.daemon()
    try await eventually("nothing else is left") { try remains() == parts }
    let id = try #require(try await bob.run("transfers").expect(0).record("transfer")["id"])
    try await bob.run("transfers", "cancel", id).expect(0)
    try await eventually("nothing is left") { try remains().isEmpty }
    #expect(FileManager.default.fileExists(atPath: foreign))
    try await again.stop()
  }
}
