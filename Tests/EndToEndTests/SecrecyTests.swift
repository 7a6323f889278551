import Foundation
import TestSupport
import Testing

/// What a message says and what a file holds is looked for everywhere it must not be.
@Suite struct SecrecyTests {
  private static let text = "canary-in-a-message-5b1f"
  private static let content = "canary-in-a-file-77c2"
  private static let fileName = "canary-in-a-name-90aa"
  private static let canaries = [text, content, fileName]

  /// Two users who have talked, and what could be seen of it.
  private struct Talk {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let alices: Program
    let bobs: Program
    let toRegistry: RecordingProxy
    let toBob: RecordingProxy

    init() async throws {
      world = try World()
      registry = try await world.registry(
        data: "registry", port: 0, "--log-level", "debug", environment: ["SECCHAT_ALLOW_CORE_DUMPS": "1"])
      toRegistry = try RecordingProxy(to: "127.0.0.1", registry.port)
      alice = try await world.user("alice", at: registry, port: toRegistry.port)
      bob = try await world.user("bob", at: registry, port: toRegistry.port)
      // The registry sees bob at 127.0.0.1 and tells that with his port: there the proxy stands, he is next door.
      toBob = try RecordingProxy(to: "127.0.0.2")
      bobs = try bob.start(
        words: ["daemon", "--listen", "127.0.0.2:\(toBob.port)", "--accept-files", "always"])
      _ = try await bobs.record("online")
      alices = try await alice.daemon()

      try await alice.run("chat", "bob", SecrecyTests.text).expect(0)
      let path = try world.folder.write(SecrecyTests.fileName, SecrecyTests.content)
      try await alice.run("send", "bob", path).expect(0)
      _ = try await bobs.record("file")
      try FileManager.default.removeItem(atPath: path)
    }
  }

  @Test func `nothing of it is on the wire, with the registry's key or names between peers`() async throws {
    let talk = try await Talk()
    let (toBob, toRegistry) = (talk.toBob.bytes, talk.toRegistry.bytes)
    #expect(toBob.count > 1_000, "the peers' link went past the proxy")
    #expect(toRegistry.count > 1_000, "the registry's link went past the proxy")
    for needle in Self.canaries + ["alice", "bob", "secchat"] {
      #expect(toBob.range(of: Data(needle.utf8)) == nil, "\(needle) between the peers")
      #expect(toRegistry.range(of: Data(needle.utf8)) == nil, "\(needle) on the way to the registry")
    }
  }

  @Test func `nothing of it is in the registry's files or logs`() async throws {
    let talk = try await Talk()
    var all = Data(talk.registry.program.errors.utf8)
    let folder = talk.world.folder.file("registry")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
      all += try Data(contentsOf: URL(filePath: folder + "/" + file))
    }
    #expect(all.range(of: Data("alice".utf8)) != nil, "the search finds nothing")
    for needle in Self.canaries { #expect(all.range(of: Data(needle.utf8)) == nil, "\(needle)") }
    // Nor are names or keys in its log.
    let log = talk.registry.program.errors
    for secret in ["alice", "bob", talk.registry.key, "SECCHAT-REGISTRY-KEY"] {
      #expect(!log.contains(secret), "\(secret)")
    }
  }

  @Test(.needsRoot, .readsMemory) func `nothing of it is in the registry's memory`() async throws {
    let talk = try await Talk()
    let found = try search(talk.registry.program.id, for: ["alice"] + Self.canaries)
    #expect(found.contains("alice"), "the search finds nothing")
    #expect(found.isDisjoint(with: Self.canaries), "\(found)")
  }

  @Test(.needsRoot, .readsMemory) func `passphrases do not stay in memory`() async throws {
    let talk = try await Talk()
    let found = try search(talk.alices.id, for: ["alice", talk.alice.passphrase])
    #expect(found.contains("alice"), "the search finds nothing")
    #expect(!found.contains(talk.alice.passphrase))
  }

  /// Those of the needles that are in a process's memory.
  private func search(_ process: Int32, for needles: [String]) throws -> Set<String> {
    let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
    let memory = try #require(FileHandle(forReadingAtPath: "/proc/\(process)/mem"))
    defer { try? memory.close() }
    var found: Set<String> = []
    for line in maps.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 1, fields[1].hasPrefix("rw"), !line.hasSuffix("[vvar]") else { continue }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2, ends[1] - ends[0] < 1 << 28 else { continue }
      try memory.seek(toOffset: ends[0])
      // Guard pages cannot be read.
      guard let bytes = try? memory.read(upToCount: Int(ends[1] - ends[0])) else { continue }
      for needle in needles where bytes.range(of: Data(needle.utf8)) != nil { found.insert(needle) }
    }
    return found
  }

  @Test func `nothing of it is on the disk of either in the clear`() async throws {
    let talk = try await Talk()
    try await talk.alices.stop()
    try await talk.bobs.stop()
    for home in [talk.alice.home, talk.bob.home] {
      let files = FileManager.default.enumerator(atPath: home)?.compactMap { $0 as? String } ?? []
      for file in files where !file.hasPrefix("downloads") {
        let path = home + "/" + file
        #expect(try #require(try permissions(of: path)) & 0o077 == 0, "\(path) is open to others")
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { continue }
        for needle in Self.canaries {
          #expect(data.range(of: Data(needle.utf8)) == nil, "\(needle) in \(file)")
        }
      }
    }
  }

  @Test(.needsRoot) func `secrets are in no argument and no environment`() async throws {
    let talk = try await Talk()
    for (program, profile) in [(talk.alices, talk.alice), (talk.bobs, talk.bob)] {
      for file in ["cmdline", "environ"] {
        let data = try Data(contentsOf: URL(filePath: "/proc/\(program.id)/\(file)"))
        #expect(data.range(of: Data(profile.passphrase.utf8)) == nil)
        #expect(data.range(of: Data("SECCHAT-SECRET-KEY".utf8)) == nil)
      }
    }
  }
}
