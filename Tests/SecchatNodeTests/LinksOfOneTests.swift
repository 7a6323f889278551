import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What one peer may hold of a node's links and of its user's attention, and when it loses them.
@Suite(.serialized) struct LinksOfOneTests {
  @LoopActor private func offer(_ stream: UInt32, _ id: MessageID = Random.bytes(), name: String = "x")
    -> Offer
  {
    Offer(stream: stream, id: id, items: 1, entries: 1, bytes: 1, name: name)
  }

  /// What a node answers to an offer.
  @LoopActor private func refusal(on link: SealedLink) async throws -> Refuse.Reason? {
    link.deadline = .now + 60_000
    while true {
      let message = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      if case .refuse(let refuse) = message { return refuse.reason }
    }
  }

  @Test @LoopActor func eightLinksAndNoMore() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    // Known, so that the share of strangers is not what is met.
    let first = try await mallory.dial(alice)
    try await mallory.say("hello", on: first)
    var links = [first]
    for _ in 1..<8 {
      links.append(try await mallory.dial(alice))
      #expect(await mallory.isTaken(links[links.count - 1]))
    }
    let ninth = try await mallory.dial(alice)
    #expect(await !mallory.isTaken(ninth))
    // One who holds them all and takes no messages on any cannot be written to: that is no change of keys.
    let listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
    let place = try #require(listener.address)
    let address = try #require(NetworkAddress(place))
    registry.enrol(mallory.list, at: address)
    Loop.spawn {
      while let stream = try? await listener.accept() { _ = try? await mallory.accept(stream) }
    }
    let (status, error) = await alice.chat("mallory")
    #expect(status == .peerOffline)
    #expect(error?.contains("too many connections") == true)
    listener.close()
    for link in links { link.abort() }
    #expect(await eventually { alice.node.sessions.isEmpty })
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func sixteenOffersOfOnePeerWait() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let other = try Stranger("carol", at: registry)
    let links = [try await mallory.dial(alice), try await mallory.dial(alice)]
    for number in 0..<16 { links[0].send(offer(UInt32(2 * number + 1))) }
    links[0].flush()
    #expect(await eventually { alice.node.pendingOffers.count == 16 })
    links[1].send(offer(1))
    links[1].flush()
    #expect(try await refusal(on: links[1]) == .busy)
    // Others' are still heard.
    let third = try await other.dial(alice)
    third.send(offer(1))
    third.flush()
    #expect(await eventually { alice.node.pendingOffers.count == 17 })
    for link in links + [third] { link.abort() }
    #expect(await eventually { alice.node.pendingOffers.isEmpty })
    await alice.node.close()
    registry.stop()
  }

  /// An offer that was withdrawn cannot become another while the user types that he takes it.
  @Test @LoopActor func anOffersIdIsNotUsedTwice() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let links = [try await mallory.dial(alice), try await mallory.dial(alice)]
    let id: MessageID = Random.bytes()
    links[0].send(offer(1, id, name: "holiday.jpg"))
    links[0].flush()
    #expect(await eventually { alice.node.pendingOffers.count == 1 })
    links[0].send(Cancel(stream: 1, reason: .stopped))
    links[0].flush()
    #expect(await eventually { alice.node.pendingOffers.isEmpty })
    for (stream, link) in [(3, links[0]), (1, links[1])] as [(UInt32, SealedLink)] {
      link.send(offer(stream, id, name: "something-else"))
      link.flush()
      #expect(try await refusal(on: link) == .declined)
    }
    #expect(alice.events.count { if case .offered = $0 { true } else { false } } == 1)
    for link in links { link.abort() }
    await alice.node.close()
    registry.stop()
  }

  /// A pin that changes ends the links of the old keys at once, not after the disk has been waited for.
  @Test(arguments: [false, true]) @LoopActor func aNewPinEndsOldLinksAtOnce(isAnotherIdentity: Bool)
    async throws
  {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let link = try await bob.dial(alice)
    link.send(Ready(stream: 0, limit: 10))
    try await bob.say("hello", on: link)
    let account = bob.account
    let node = alice.node
    let session = try #require(node.sessions.session(with: account))
    if isAnotherIdentity {
      let forged = try registry.forgedList(for: "bob")
      registry.enrol(forged)
      await alice.ask(.lookup(user: "bob"))
      let fingerprint = try registry.fingerprint(of: "bob")
      Loop.spawn { await alice.ask(.trust(user: "bob", fingerprint: fingerprint)) }
    } else {
      let device = try SecretIdentity.generate(now: 2).publicDevice
      let list = try #require(
        DeviceList(
          identity: bob.identity.identity.publicKey, account: account, version: 2, previous: FixedBytes(),
          devices: [device]))
      let signed = SignedDeviceList(signing: list, with: bob.identity.identity)
      Loop.spawn { try? await node.judge(signed, for: account, pinsFirst: false) }
    }
    let end = Instant.now + 60_000
    while node.contacts[account]?.pinned == bob.list, .now < end { await Task.yield() }
    #expect(node.contacts[account]?.pinned != bob.list)
    #expect(session.link.isClosed)
    #expect(node.sessions.session(with: account) == nil)
    await alice.node.close()
    registry.stop()
  }
}
