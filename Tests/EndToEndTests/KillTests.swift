import Foundation
import Glibc
import SecchatCrypto
import TestSupport
import Testing

/// Killed in the middle of a file, at random moments, again and again.
@Suite(.serialized) struct KillTests {
  private static let mebibyte = 1 << 20

  @Test func `killed six times in a file of 64 MiB, it arrives whole`() async throws {
    try await kill(times: 6, size: 64 * Self.mebibyte, rate: 24)
  }

  @Test(.long) func `killed fifty times in a file of 1 GiB, it arrives whole`() async throws {
    try await kill(times: 50, size: 1_024 * Self.mebibyte, rate: 40)
  }

  /// Kills programs when so many bytes have passed: from the proxy's thread, for the tests' own may be late.
  private final class Trap: Sendable {
    private let state = Lock((place: Int.max, victims: [Int32]()))

    func set(at place: Int, for victims: [Program]) { state.withLock { $0 = (place, victims.map(\.id)) } }

    func spring(_ count: Int) {
      let victims = state.withLock { state -> [Int32] in
        guard count >= state.place else { return [] }
        defer { state = (.max, []) }
        return state.victims
      }
      for victim in victims where victim > 0 { Glibc.kill(victim, SIGKILL) }
    }
  }

  /// - Parameter rate: in MiB a second: as fast as can be, more would be on its way than may be lost.
  private func kill(times: Int, size: Int, rate: Int) async throws {
    let world = try World()
    let registry = try await world.registry()
    let (alice, bob) = (
      try await world.user("alice", at: registry), try await world.user("bob", at: registry)
    )
    // What goes over the wire is counted by a proxy, which the registry takes for bob.
    let proxy = try RecordingProxy(to: "127.0.0.2", keeping: false)
    let trap = Trap()
    proxy.change { [weak proxy] isFromClient, _, bytes in
      if isFromClient, let proxy { trap.spring(proxy.countFromClients) }
      return [bytes]
    }
    let path = world.folder.file("large")
    try Self.fill(path, size)
    func receiver() async throws -> Program {
      try await bob.daemon("--listen", "127.0.0.2:\(proxy.port)", "--accept-files", "always")
    }
    var bobs = try await receiver()
    for round in 1...times {
      let sending = try alice.start(words: ["send", "bob", path, "--limit-rate", "\(rate)M"])
      let killsBob = Int.random(in: 0..<3) > 0
      let killsAlice = !killsBob || Bool.random()
      // Each kill has its part of the file, and comes at any moment of it.
      let place = (Double(round - 1) + Double.random(in: 0...1)) * 0.9 * Double(size) / Double(times)
      trap.set(at: Int(place) + 1, for: (killsAlice ? [sending] : []) + (killsBob ? [bobs] : []))
      let ended = try await sending.finish(within: .seconds(120))
      #expect(ended == (killsAlice ? 128 + SIGKILL : 6), "round \(round): \(sending.report)")
      #expect(!FileManager.default.fileExists(atPath: bob.home + "/downloads/alice/large"), "round \(round)")
      guard killsBob else { continue }
      #expect(try await bobs.finish() == 128 + SIGKILL)
      bobs = try await receiver()
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
