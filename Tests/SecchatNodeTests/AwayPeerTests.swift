import SecchatCore
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What waits for a peer who is away waits for the registry's word, and does not ask for it again and again.
@Suite(.serialized) struct AwayPeerTests {
  /// Alice, who is online; and bob, who has a node, but of whom the registry says that he is not online: to who asks and
  /// to who watches. Carol is not either, and of her it says nothing.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let bob: NodeAtWork
    private let file: String
    private let name: UserName
    private let place: NetworkAddress
    private let folder: TemporaryFolder

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      bob = try await NodeAtWork("bob", at: registry)
      try await bob.node.save { $0.files = .always }
      _ = try Stranger("carol", at: registry)
      let name = try alice.account("bob").name
      self.name = name
      place = try #require(registry.addresses[name])
      folder = try TemporaryFolder(inMemory: true)
      file = try folder.write("note", "text")
      registry.enrol(try bob.node.ownList())
      registry.unasked = { request in
        guard case .watch(let watch) = request, watch.names.contains(name) else { return [] }
        return [Presence(name: name, address: nil)]
      }
    }

    /// Sends a file to somebody who is away.
    func send(to user: String) async {
      let send = Request.send(user: user, paths: [file], limitRate: nil, checksum: false)
      #expect(await alice.ask(send).status == .peerOffline)
    }

    /// Waits until alice has heard that bob is away, and counts how often she has asked by then.
    func whenKnown() async throws -> Int {
      let node = alice.node
      try #require(await eventually { node.isKnownOffline(self.name) && node.dials.isEmpty })
      return try asked("bob")
    }

    func asked(_ name: String) throws -> Int { registry.lookups[try alice.account(name).name, default: 0] }

    /// Waits until alice has asked for carol again, and again.
    func carolIsAskedFor() async throws {
      let first = try asked("carol")
      #expect(try await eventually { try self.asked("carol") >= first + 2 })
    }

    func bobComesOnline() throws {
      registry.enrol(try bob.node.ownList(), at: place)
      registry.push(Presence(name: name, address: place), to: try alice.account("alice").name)
    }

    func close() async {
      for side in [alice, bob] { await side.node.close() }
      registry.stop()
    }
  }

  @Test @LoopActor func aMessageGoesWhenTheyAreBack() async throws {
    let scene = try await Scene()
    let (alice, bob) = (scene.alice, scene.bob)
    #expect(await alice.chat("bob").status == .peerOffline)
    let asked = try await scene.whenKnown()
    #expect(await alice.chat("carol").status == .peerOffline)
    try await scene.carolIsAskedFor()
    #expect(try scene.asked("bob") == asked)
    #expect(alice.waiting == 2 && bob.texts.isEmpty)
    try scene.bobComesOnline()
    #expect(await eventually { bob.texts == ["for your eyes"] && alice.waiting == 1 })
    await scene.close()
  }

  @Test @LoopActor func aFileGoesWhenTheyAreBack() async throws {
    let scene = try await Scene()
    let alice = scene.alice
    await scene.send(to: "bob")
    let asked = try await scene.whenKnown()
    await scene.send(to: "carol")
    try await scene.carolIsAskedFor()
    #expect(try scene.asked("bob") == asked)
    #expect(alice.node.transfers.waiting.count == 2)
    try scene.bobComesOnline()
    #expect(await eventually { alice.node.transfers.waiting.map(\.peer.name.text) == ["carol"] })
    await scene.close()
  }

  /// Where the registry goes away nobody tells: they are looked for again, where they were.
  @Test @LoopActor func withoutTheRegistryTheyAreLookedFor() async throws {
    let scene = try await Scene()
    let (alice, bob) = (scene.alice, scene.bob)
    // They have met, or bob would let nobody in without asking the registry.
    #expect(await bob.chat("alice").status == .done)
    try await bob.hangUp()
    try #require(await eventually { alice.node.sessions.isEmpty })
    await scene.send(to: "bob")
    #expect(await alice.chat("bob").status == .peerOffline)
    let asked = try await scene.whenKnown()
    await scene.send(to: "carol")
    try await scene.carolIsAskedFor()
    #expect(try scene.asked("bob") == asked)
    let place = try #require(bob.node.listener?.address.flatMap { NetworkAddress($0) })
    await alice.node.contacts.note(place, of: try alice.account("bob"))
    scene.registry.stop()
    #expect(await eventually { bob.texts == ["for your eyes"] })
    #expect(await eventually { alice.node.transfers.waiting.map(\.peer.name.text) == ["carol"] })
    await scene.close()
  }
}
