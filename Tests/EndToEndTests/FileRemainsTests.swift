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
    #expect(outcome.errors.contains("2 links or devices left out"))
    let file = try await bobs.record("file")
    #expect(file.number("resumed_from") == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: #require(file["path"])) == ["file"])
  }
}
