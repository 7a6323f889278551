import SecchatCore
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What waits for a peer who is away waits for the registry's word, and does not ask for it again and again.
@Suite(.serialized) struct AwayPeerTests {
  @Test @LoopActor func theRegistrySaysWhenTheyAreBack() async throws {
    let registry = try LyingRegistry()
    let (alice, bob) = (
      try await NodeAtWork("alice", at: registry), try await NodeAtWork("bob", at: registry)
    )
    let (own, account) = (try alice.account("alice").name, try alice.account("bob"))
    let carol = try Stranger("carol", at: registry).account.name
    try await bob.node.save { $0.files = .always }
    let place = try #require(registry.addresses[account.name])
    let list = try bob.node.ownList()
    // Bob is not online, and the registry says so to who watches him; of carol, who is not either, it says nothing.
    registry.enrol(list)
    registry.unasked = { request in
      guard case .watch(let watch) = request, watch.names.contains(account.name) else { return [] }
      return [Presence(name: account.name, address: nil)]
    }
    #expect(await alice.chat("bob").status == .peerOffline)
    let node = alice.node
    #expect(await eventually { node.isKnownOffline(account.name) && node.dials.isEmpty })
    let asked = try #require(registry.lookups[account.name])
    // Carol is asked for once more, and again.
    #expect(await alice.chat("carol").status == .peerOffline)
    let first = try #require(registry.lookups[carol])
    #expect(await eventually { registry.lookups[carol, default: 0] >= first + 3 })
    #expect(registry.lookups[account.name] == asked)
    #expect(alice.waiting == 2 && bob.texts.isEmpty)
    // A file that waits for him goes with it.
    let folder = try TemporaryFolder(inMemory: true)
    let file = try folder.write("note", "text")
    let send = Request.send(user: "bob", paths: [file], limitRate: nil, checksum: false)
    #expect(await alice.ask(send).status == .peerOffline)
    registry.enrol(list, at: place)
    registry.push(Presence(name: account.name, address: place), to: own)
    #expect(await eventually { bob.texts == ["for your eyes"] && alice.waiting == 1 })
    #expect(await eventually { alice.node.transfers.waiting.isEmpty })
    await alice.node.close()
    await bob.node.close()
    registry.stop()
  }
}
