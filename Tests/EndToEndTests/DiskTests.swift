import Foundation
import TestSupport
import Testing

/// What the receiver's disk does to a transfer that is under way, with the built programs.
@Suite struct DiskTests {
  /// Bob receives on a disk of his own; alice sends.
  private final class Scene {
    let world: World
    let registry: Registry
    let alice: Profile
    let bobs: Program
    let disk: SmallDisk

    init(size: String) async throws {
      world = try World()
      registry = try await world.registry()
      alice = try await world.user("alice", at: registry)
      let bob = try await world.user("bob", at: registry)
      disk = try SmallDisk(at: world.folder.file("disk"), size: size)
      bobs = try await bob.daemon("--accept-files", "always", "--downloads", disk.path)
    }

    /// What bob has of alice, incomplete things included.
    var inbox: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: disk.path + "/alice").sorted() }
    }

    /// Sees that both go on as if nothing had been.
    func goesOn(with file: String, leaving names: [String]) async throws {
      try await alice.run("chat", "bob", "still there?").expect(0)
      _ = try await bobs.record("message") { $0["text"] == "still there?" }
      let path = try world.folder.write(file, "afterwards")
      try await alice.run("send", "bob", path).expect(0)
      #expect(try await bobs.record("file")["name"] == file)
      try await eventually("nothing else is there") { try inbox == names }
      try await bobs.stop()
    }
  }

  @Test(.needsRoot) func `a disk that fills while a file comes`() async throws {
    let scene = try await Scene(size: "16m")
    let first = try scene.world.folder.write("first", "before")
    let large = try scene.world.folder.write("large", Data(repeating: 7, count: 8_000_000))
    let sending = try scene.alice.start(words: ["send", "bob", first, large, "--limit-rate", "4M"])
    _ = try await sending.record("progress") { $0.number("bytes").map { $0 > 100_000 } ?? false }
    // Somebody else takes all that is left.
    try scene.disk.fill()
    #expect(try await sending.finish() == 9, "\(sending.report)")
    let error = try await sending.record("error")
    #expect(error.number("code") == 9)
    #expect(error["message"] == "the disk of bob is full")
    #expect(try await scene.bobs.record("error")["message"]?.contains("the disk is full") == true)
    // What was complete stays, and is told of; of the other nothing is there.
    try await eventually("what is incomplete goes") { try scene.inbox == ["first"] }
    let done = sending.lines.compactMap { Record($0) }.filter { $0.type == "done" }
    #expect(done.map { $0["name"] } == ["first"])
    try scene.disk.empty()
    try await scene.goesOn(with: "small", leaving: ["first", "small"])
  }

  @Test(.needsRoot) func `a disk that turns read-only while a folder comes`() async throws {
    let scene = try await Scene(size: "64m")
    for number in 0..<300 {
      try scene.world.folder.write("tree/\(number)", Data(repeating: 7, count: 10_000))
    }
    let tree = scene.world.folder.file("tree")
    let sending = try scene.alice.start(words: ["send", "bob", tree, "--limit-rate", "1M"])
    _ = try await sending.record("progress") { $0.number("bytes").map { $0 > 100_000 } ?? false }
    // While a file is open for writing the system refuses: between two it does not.
    while sending.isRunning, !scene.disk.makeReadOnly(true) {}
    #expect(try await sending.finish() == 9, "\(sending.report)")
    let error = try await sending.record("error")
    #expect(error.number("code") == 9)
    #expect(error["message"] == "bob could not write the files")
    #expect(try await scene.bobs.record("error")["message"]?.contains("read-only") == true)
    // Nothing can be removed from it now, and nothing has got its name.
    #expect(try scene.inbox.allSatisfy { $0.hasSuffix(".part") })
    #expect(!sending.lines.contains { Record($0)?.type == "done" })
    // Nor can anything begin to come.
    let refused = try await scene.alice.run("send", "bob", tree + "/1").expect(9)
    #expect(try refused.record("error")["message"] == "bob could not write the files")
    try #require(scene.disk.makeReadOnly(false))
    try await scene.goesOn(with: "small", leaving: ["small"])
  }
}
