import Foundation
import TestSupport
import Testing

/// What a message says, what a file holds and is called, passphrases and private keys are looked for wherever they must
/// not be. Each search is shown to find what is there.
@Suite struct SecrecyTests {
  @Test func `nothing of it is on the wire, with the registry's key or names between peers`() async throws {
    let talk = try await Talk()
    let (toBob, toRegistry) = (talk.toBob.bytes, talk.toRegistry.bytes)
    #expect(toBob.count > 1_000, "the peers' link went past the proxy")
    #expect(toRegistry.count > 1_000, "the registry's link went past the proxy")
    let names = Canaries(["alice": "alice", "bob": "bob", "secchat": "secchat"])
    let hidden = talk.all + names + talk.known
    #expect(hidden.found(in: toBob).isEmpty)
    #expect(hidden.found(in: toRegistry).isEmpty)
    for proxy in [talk.toBob, talk.toRegistry] {
      let plain = try PlainSocket(connectingTo: proxy.port)
      plain.send(Data("\0\0\(talk.text)".utf8))
      try await eventually("what is in clear is found") {
        talk.all.found(in: proxy.bytes) == ["the text"]
      }
    }
  }

  @Test func `nothing of it is in the registry's files`() async throws {
    let talk = try await Talk()
    let folder = talk.world.folder.file("registry")
    #expect(talk.all.found(below: folder).isEmpty)
    let known = talk.known.found(below: folder)
    #expect(known.contains { $0.hasPrefix("alice's public key in raw") }, "the search finds nothing")
    #expect(known.contains { $0.hasPrefix("alice in") }, "the search finds nothing")
  }

  @Test func `nothing of it is in what the programs log`() async throws {
    let talk = try await Talk()
    let log = talk.registry.program.errors
    #expect(log.contains("an account was registered"))
    #expect(talk.all.found(in: log).isEmpty)
    // Nor are names or keys.
    for secret in ["alice", "bob", talk.registry.key, "SECCHAT-REGISTRY-KEY"] {
      #expect(!log.contains(secret), "\(secret)")
    }
    #expect(talk.secrets.found(in: talk.registry.program.output).isEmpty)
    for daemon in [talk.alices, talk.bobs] {
      #expect(talk.all.found(in: daemon.errors).isEmpty)
      #expect(talk.secrets.found(in: daemon.output).isEmpty)
    }
    // A message and a file are shown to whom they are for.
    #expect(talk.words.found(in: talk.bobs.output) == ["the text", "the file's name"])
    #expect(talk.words.found(in: talk.alices.output).isEmpty)
  }

  @Test(.needsRoot, .readsMemory) func `nothing of it is in the registry's memory`() async throws {
    let talk = try await Talk()
    let found = try (talk.all + talk.known).found(inMemoryOf: talk.registry.program.id)
    #expect(found == ["alice", "alice's public key in raw"])
  }

  @Test(.needsRoot, .readsMemory) func `passphrases do not stay in memory`() async throws {
    let talk = try await Talk()
    let passphrases = Canaries(["alice": "alice", "the passphrase": talk.alice.passphrase])
    #expect(try passphrases.found(inMemoryOf: talk.alices.id) == ["alice"])
  }

  @Test func `nothing of it is on the disk of either in the clear`() async throws {
    let talk = try await Talk()
    func search() throws {
      for profile in [talk.alice, talk.bob] {
        #expect(talk.secrets.found(below: profile.home).isEmpty)
        #expect(talk.words.found(below: profile.home) { !$0.hasPrefix("downloads") }.isEmpty)
        let files = FileManager.default.enumerator(atPath: profile.home)?.compactMap { $0 as? String } ?? []
        #expect(files.contains("profile.db"))
        for file in files {
          let mode = try #require(try permissions(of: profile.home + "/" + file))
          #expect(mode & 0o077 == 0, "\(file) is open to others")
        }
      }
    }
    try search()
    try await talk.alices.stop()
    try await talk.bobs.stop()
    try search()
    // What was received lies in the download folder, which is its owner's alone.
    #expect(talk.words.found(below: talk.bob.home) == ["the content in downloads/alice/\(talk.fileName)"])
  }

  @Test func `nothing of it is in temporary files`() async throws {
    let talk = try await Talk()
    // Files that have no name any more are found by who has them open.
    if geteuid() == 0 {
      for program in [talk.registry.program, talk.alices, talk.bobs] {
        let folder = "/proc/\(program.id)/fd"
        for descriptor in try FileManager.default.contentsOfDirectory(atPath: folder) {
          let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + descriptor)
          #expect(target?.hasSuffix("(deleted)") != true, "\(program.name) has \(target ?? "")")
        }
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: talk.temporary).isEmpty)
    #expect(fresh(since: talk.begun, besides: talk.world.folder.path, talk.all).isEmpty)
    let planted = try TemporaryFolder()
    try planted.write("planted", "\0" + talk.text)
    #expect(fresh(since: talk.begun, besides: talk.world.folder.path, talk.all).count == 1)
  }

  /// What is in files of the folders for temporary ones that have been written since.
  private func fresh(since date: Date, besides own: String, _ canaries: Canaries) -> Set<String> {
    var all: Set<String> = []
    let places = ["/tmp", "/var/tmp", "/dev/shm", FileManager.default.temporaryDirectory.path]
    for place in Set(places) {
      all.formUnion(
        canaries.found(below: place) { file in
          let path = place + "/" + file
          guard !path.hasPrefix(own),
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let written = attributes[.modificationDate] as? Date, let size = attributes[.size] as? Int
          else { return false }
          return written >= date && size < 64 << 20
        })
    }
    return all
  }

  @Test(.needsRoot) func `secrets are in no argument and no environment`() async throws {
    let talk = try await Talk()
    // Commands that are at work while all is searched.
    let path = try talk.world.folder.write("plain", talk.content + String(repeating: "x", count: 3_000_000))
    let sending = try talk.alice.start(words: ["send", "bob", path, "--limit-rate", "500k"])
    let chatting = try talk.alice.start(words: ["chat", "bob", "-"], input: nil)
    chatting.say(talk.text)
    _ = try await sending.record("progress")
    _ = try await chatting.record("sent")
    #expect(argumentsAndEnvironments(talk.all).isEmpty)
    let planted = [
      try Program("/bin/sleep", ["60"], environment: ["SECRET": talk.alice.passphrase]),
      // No child of its own, which would keep its output open.
      try Program("/bin/sh", ["-c", "read line", talk.bob.passphrase], input: nil),
    ]
    try await eventually("what is there is found") {
      Set(["alice's passphrase", "bob's passphrase"]).isSubset(of: argumentsAndEnvironments(talk.all))
    }
    #expect(sending.isRunning && chatting.isRunning, "nothing was at work")
    for program in planted + [sending, chatting] { try await program.destroy() }
  }

  /// What is in the arguments and environments of all processes.
  private func argumentsAndEnvironments(_ canaries: Canaries) -> Set<String> {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int($0) }
    var all: Set<String> = []
    for process in processes ?? [] {
      for file in ["cmdline", "environ"] {
        // Some end meanwhile.
        let handle = FileHandle(forReadingAtPath: "/proc/\(process)/\(file)")
        if let data = try? handle?.readToEnd() { all.formUnion(canaries.found(in: data)) }
      }
    }
    return all
  }
}
