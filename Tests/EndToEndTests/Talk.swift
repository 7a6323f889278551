import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Two users who have talked and sent a file, and whatever could be seen of it.
struct Talk {
  let world: World
  let registry: Registry
  let alice: Profile
  let bob: Profile
  let alices: Program
  let bobs: Program
  let toRegistry: RecordingProxy
  let toBob: RecordingProxy
  /// Where the programs of both were told to put temporary files.
  let temporary: String
  /// When it began.
  let begun = Date()

  let text = canary("text")
  let content = canary("content")
  let fileName = canary("name")
  /// What is said and sent.
  let words: Canaries
  /// What only its owner may have: passphrases, private keys and prekeys.
  let secrets: Canaries
  /// What the registry has to know: whoever finds none of it has not searched.
  let known: Canaries
  var all: Canaries { words + secrets }

  /// Another in each run, so that no source, cache or other test has it.
  private static func canary(_ kind: String) -> String {
    "canary-\(kind)-" + String(UInt64.random(in: 1 << 60...UInt64.max), radix: 36)
  }

  init() async throws {
    world = try World()
    temporary = world.folder.file("temporary")
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
    let environment = ["TMPDIR": temporary]
    registry = try await world.registry(
      data: "registry", port: 0, "--log-level", "debug",
      environment: [
        "TMPDIR": temporary, "SECCHAT_ALLOW_CORE_DUMPS": "1", "SWIFT_BACKTRACE": "enable=no",
      ],
      limits: "ulimit -c unlimited")
    toRegistry = try RecordingProxy(to: "127.0.0.1", registry.port)
    var users: [Profile] = []
    for name in ["alice", "bob"] {
      var user = try world.profile(name, passphrase: Self.canary("passphrase-of-\(name)"))
      user.environment = environment
      try await user.run("keygen").expect(0)
      try await user.register(at: registry, port: toRegistry.port).expect(0)
      users.append(user)
    }
    (alice, bob) = (users[0], users[1])
    // The registry sees bob at 127.0.0.1 and tells that with his port: there the proxy stands, he is next door.
    toBob = try RecordingProxy(to: "127.0.0.2")
    bobs = try bob.start(
      words: ["daemon", "--listen", "127.0.0.2:\(toBob.port)", "--accept-files", "always"])
    _ = try await bobs.record("online")
    alices = try await alice.daemon()
    words = Canaries(["the text": text, "the content": content, "the file's name": fileName])
    known = try Canaries(["alice": "alice"]) + alice.publicKey()

    try await alice.run("chat", "bob", "-", input: text + "\n").expect(0)
    let path = try world.folder.write("sent/" + fileName, content)
    try await alice.run("send", "bob", path).expect(0)
    _ = try await bobs.record("file")
    try FileManager.default.removeItem(atPath: path)
    secrets =
      try await Canaries(["alice's passphrase": alice.passphrase, "bob's passphrase": bob.passphrase])
      + alice.privateKeys() + bob.privateKeys() + alice.prekeys() + bob.prekeys()
  }
}
