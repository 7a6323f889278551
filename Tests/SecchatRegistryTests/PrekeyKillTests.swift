import Glibc
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

/// The program, killed while it hands out prekeys, and started again.
@Suite struct PrekeyKillTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A registry that runs: how to reach it.
  private struct Running {
    let program: Program
    let address: SocketAddress
    let key: LinkPublicKey
  }

  private func start() async throws -> Running {
    let program = try Program(
      "secchat-registry", ["--listen", "127.0.0.1:0", "--data", folder.file("registry"), "--json"])
    let line = try await program.line("the listening line") { Record($0)?.type == "listening" }
    let record = try #require(Record(line))
    let port = try #require(record.number("port").flatMap { UInt16(exactly: $0) })
    return Running(
      program: program, address: try #require(SocketAddress(host: "127.0.0.1", port: port)),
      key: try #require(record["key"].flatMap { KeyText.registry($0) }))
  }

  @LoopActor private func online(_ user: User, at registry: Running) async throws -> Client {
    let stream = try await ByteStream.connect(to: registry.address, timeout: 60_000)
    let client = Client(
      try await SealedLink.connect(
        stream, prologue: Prologue.registry, local: user.secret.link, remote: registry.key))
    _ = try #require(try await client.register(user.list(at: registry.key), by: user).registered)
    _ = try #require(try await client.logIn(user, port: 0).loggedIn)
    return client
  }

  /// What was answered before the kill is answered to nobody else after it; what was written and not answered is lost.
  @Test @LoopActor func nothingIsHandedOutTwice() async throws {
    let bob = try User("bob")
    var handed: [OneTimePrekey: String] = [:]
    var published: Set<OneTimePrekey> = []
    for round in 0..<3 {
      let registry = try await start()
      let owner = try await online(bob, at: registry)
      if round == 0 {
        let keys = oneTimePrekeys(1...100)
        published = Set(keys)
        let answer = try await owner.publish(signed: bob.signedPrekey(at: registry.key), keys: keys)
        #expect(answer.published?.left == 100)
      }
      var clients: [(name: String, client: Client)] = []
      for index in 0..<18 {
        let name = "user-\(round)-\(index)"
        clients.append((name, try await online(User(name), at: registry)))
      }
      for (_, client) in clients {
        client.link.send(Fetch(request: 1, name: bob.name, device: 1))
        client.link.flush()
      }
      // After a few answers, while the others are on their way.
      for (index, (name, client)) in clients.enumerated() {
        if index == 3 { registry.program.signal(SIGKILL) }
        guard let offer = (try? await client.next())?.offer else { continue }
        let oneTime = try #require(offer.oneTime)
        #expect(published.contains(oneTime))
        #expect(handed.updateValue(name, forKey: oneTime) == nil, "handed out twice")
      }
      #expect(try await registry.program.finish() == 128 + SIGKILL)
      #expect(handed.count >= 3 * (round + 1))
    }
  }
}
