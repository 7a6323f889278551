import Foundation
import TestSupport
import Testing

@Suite struct FileTests {
  private struct Pair {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let bobs: Program

    init(_ options: String...) async throws {
      world = try World()
      registry = try await world.registry()
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
      bobs = try bob.start(words: ["daemon"] + options)
      _ = try await bobs.record("online")
    }

    var inbox: String { bob.home + "/downloads/alice" }
  }

  /// Bytes that repeat nowhere soon.
  private static func content(_ count: Int) -> Data {
    var state: UInt64 = 0x9e37_79b9
    var data = Data(capacity: count + 8)
    while data.count < count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      unsafe withUnsafeBytes(of: state) { unsafe data.append(contentsOf: $0) }
    }
    return data.prefix(count)
  }

  @Test(arguments: [0, 1, 65_024, 65_025, 5_000_000])
  func `a file of any size`(size: Int) async throws {
    let pair = try await Pair("--accept-files", "always")
    let data = Self.content(size)
    let path = try pair.world.folder.write("a file.bin", data)
    let outcome = try await pair.alice.run("send", "bob", path, "--checksum").expect(0)
    let done = try outcome.record("done")
    #expect(done.names.isSuperset(of: ["v", "type", "id", "to", "name", "bytes", "total", "seconds"]))
    #expect(done["name"] == "a file.bin" && done["to"] == "bob" && done.number("bytes") == Double(size))
    let file = try await pair.bobs.record("file")
    #expect(file["from"] == "alice" && file["name"] == "a file.bin" && file.number("bytes") == Double(size))
    let received = try #require(file["path"])
    #expect(received == pair.inbox + "/a file.bin")
    #expect(try Data(contentsOf: URL(filePath: received)) == data)
    #expect(try permissions(of: pair.inbox) == 0o700)
    #expect(try #require(try permissions(of: received)) & 0o077 == 0)
    let sum = try #require(done["checksum"])
    #expect(try b2sum(received) == sum)
    // The journal goes once it is remembered that all has come.
    try await eventually("nothing remains") { !Self.remains(pair.bob.home) }
  }

  /// Checked by another program.
  private func b2sum(_ path: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["b2sum", "--length", "256", path]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return String(text.split(separator: " ").first ?? "")
  }

  private static func remains(_ home: String) -> Bool {
    let left = FileManager.default.enumerator(atPath: home)?.compactMap { $0 as? String } ?? []
    return left.contains { $0.hasSuffix(".part") }
  }

  @Test func `more than memory should hold, in constant memory`() async throws {
    let pair = try await Pair("--accept-files", "always")
    let data = Self.content(100_000_000)
    let path = try pair.world.folder.write("large", data)
    let before = try residentPeak(pair.bobs.id)
    try await pair.alice.run("send", "bob", path).expect(0)
    let received = try #require(try await pair.bobs.record("file")["path"])
    #expect(try Data(contentsOf: URL(filePath: received), options: .alwaysMapped) == data)
    // The credit of a stream and its buffers; a sanitizer's shadow makes of a byte several.
    #expect(try residentPeak(pair.bobs.id) - before < 60_000, "KiB")
  }

  /// The most memory that a process ever had, in KiB.
  private func residentPeak(_ process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  @Test func `several files and folders, each under its name`() async throws {
    let pair = try await Pair("--accept-files", "always")
    let tree = pair.world.folder.file("photos")
    for folder in ["", "/empty", "/2024/summer"] {
      try FileManager.default.createDirectory(atPath: tree + folder, withIntermediateDirectories: true)
    }
    try Data("one".utf8).write(to: URL(filePath: tree + "/2024/one.txt"))
    try Data("two".utf8).write(to: URL(filePath: tree + "/2024/summer/zwei ü.txt"))
    let single = try pair.world.folder.write("single", "three")
    let outcome = try await pair.alice.run("send", "bob", tree + "/", single).expect(0)
    #expect(Set(outcome.records("done").compactMap { $0["name"] }) == ["photos", "single"])
    let names = [try await pair.bobs.record("file")["name"], try await pair.bobs.record("file")["name"]]
    #expect(Set(names) == ["photos", "single"])
    func text(_ name: String) throws -> String {
      try String(contentsOfFile: pair.inbox + "/" + name, encoding: .utf8)
    }
    #expect(try text("photos/2024/one.txt") == "one")
    #expect(try text("photos/2024/summer/zwei ü.txt") == "two")
    #expect(try text("single") == "three")
    #expect(FileManager.default.fileExists(atPath: pair.inbox + "/photos/empty"))
  }

  @Test func `what is there is not overwritten`() async throws {
    let pair = try await Pair("--accept-files", "always")
    let path = try pair.world.folder.write("note", "the first")
    try await pair.alice.run("send", "bob", path).expect(0)
    let first = try #require(try await pair.bobs.record("file")["path"])
    try pair.world.folder.write("note", "the second")
    try await pair.alice.run("send", "bob", path).expect(0)
    let second = try #require(try await pair.bobs.record("file")["path"])
    #expect(first != second)
    #expect(try String(contentsOfFile: first, encoding: .utf8) == "the first")
    #expect(try String(contentsOfFile: second, encoding: .utf8) == "the second")
  }

  @Test func `another folder for what comes`() async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    let inbox = world.folder.file("inbox")
    let bobs = try await bob.daemon("--accept-files", "always", "--downloads", inbox)
    let path = try world.folder.write("note", "text")
    try await alice.run("send", "bob", path).expect(0)
    #expect(try await bobs.record("file")["path"] == inbox + "/alice/note")
    // The choice is kept.
    try await bobs.stop()
    let again = try await bob.daemon()
    try await alice.run("send", "bob", path).expect(0)
    #expect(try await again.record("file")["path"]?.hasPrefix(inbox + "/alice/") == true)
  }

  @Test func `no one who takes them`() async throws {
    let pair = try await Pair("--accept-files", "never")
    let path = try pair.world.folder.write("note", "text")
    let refused = try await pair.alice.run("send", "bob", path).expect(9)
    #expect(refused.records("done").isEmpty)
    #expect(!FileManager.default.fileExists(atPath: pair.inbox + "/note"))
    try await pair.alice.run("send", "bob", pair.world.folder.file("missing")).expect(1)
    try await pair.alice.run("send", "nobody", path).expect(1)
    try await pair.bobs.stop()
    try await pair.alice.run("send", "bob", path).expect(6)
  }
}
