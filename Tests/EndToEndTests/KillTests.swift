import Foundation
import TestSupport
import Testing

/// Killed in the middle of a file, at random moments, again and again.
@Suite struct KillTests {
  private static let mebibyte = 1 << 20

  @Test func `killed six times in a file of 64 MiB, it arrives whole`() async throws {
    try await kill(times: 6, size: 64 * Self.mebibyte, rate: 16)
  }

  @Test(.long) func `killed fifty times in a file of 1 GiB, it arrives whole`() async throws {
    try await kill(times: 50, size: 1_024 * Self.mebibyte, rate: 40)
  }

  /// - Parameter rate: in MiB a second. Without one it would be over before it could be killed so often.
  private func kill(times: Int, size: Int, rate: Int) async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    // What goes over the wire is counted by a proxy, which the registry takes for bob.
    let proxy = try RecordingProxy(to: "127.0.0.2", keeping: false)
    let path = world.folder.file("large")
    try Self.fill(path, size)
    func receiver() async throws -> Program {
      try await bob.daemon("--listen", "127.0.0.2:\(proxy.port)", "--accept-files", "always")
    }
    func sender() throws -> Program {
      try alice.start(words: ["send", "bob", path, "--limit-rate", "\(rate)M"])
    }
    var bobs = try await receiver()
    for round in 1...times {
      let sending = try sender()
      // Each kill has its part of the file, and comes at any moment of it.
      let place = (Double(round - 1) + Double.random(in: 0...1)) * Double(size) / Double(times + 1)
      _ = try await sending.record("progress", within: .seconds(120)) { ($0.number("bytes") ?? 0) >= place }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...100)))
      #expect(!FileManager.default.fileExists(atPath: bob.home + "/downloads/alice/large"), "round \(round)")
      switch Int.random(in: 0..<3) {
      case 0: try await sending.destroy()
      case 1:
        try await bobs.destroy()
        _ = try await sending.finish()
        bobs = try await receiver()
      default:
        bobs.signal(SIGKILL)
        sending.signal(SIGKILL)
        _ = try await (bobs.finish(), sending.finish())
        bobs = try await receiver()
      }
    }
    let last = try await alice.run("send", "bob", path).expect(0)
    let resumed = try #require(try last.record("done").number("resumed_from"))
    let received = try #require(try await bobs.record("file")["path"])
    #expect(try Self.hash(received) == Self.hash(path))
    try await eventually("no part is left") {
      try FileManager.default.contentsOfDirectory(atPath: bob.home + "/downloads/alice") == ["large"]
    }
    let sent = proxy.countFromClients
    print(
      "killed \(times) times: \(sent) bytes for \(size), \(Double(sent) / Double(size)); last from \(resumed)"
    )
    #expect(Double(sent) <= 1.05 * Double(size))
  }

  private static func fill(_ path: String, _ size: Int) throws {
    let source = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    try #require(FileManager.default.createFile(atPath: path, contents: nil))
    let target = try #require(FileHandle(forWritingAtPath: path))
    for _ in 0..<size / mebibyte {
      let piece = try source.read(upToCount: mebibyte)
      try target.write(contentsOf: #require(piece))
    }
    try target.close()
  }

  /// Made by another program.
  private static func hash(_ path: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["sha256sum", path]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return String(text.split(separator: " ").first ?? "")
  }
}
