import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Who only shakes hands leaves nothing behind.
@Suite(.serialized) struct StrangersTests {
  @Test @LoopActor func aStrangerIsPinnedAtTheFirstMessage() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let link = try await mallory.dial(alice)
    #expect(await mallory.isTaken(link))
    #expect(alice.node.contacts.all.isEmpty)
    try await mallory.say("hello", on: link)
    #expect(alice.texts == ["hello"])
    #expect(alice.node.contacts[mallory.account]?.pinned == mallory.list)
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func aStrangerIsPinnedWhereTheUserWrites() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let link = try await mallory.dial(alice)
    link.send(Ready(stream: 0, limit: 10))
    link.flush()
    #expect(await eventually { alice.node.sessions.session(with: mallory.account) != nil })
    #expect(alice.node.contacts.all.isEmpty)
    Loop.spawn { _ = await alice.chat("mallory") }
    var heard: PeerMessage?
    while true {
      heard = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      if case .inquire = heard { link.send(try mallory.prekeys()) }
      if case .chat = heard { break }
    }
    #expect(alice.node.contacts[mallory.account]?.pinned == mallory.list)
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func aStrangerIsPinnedWhereAnOfferIsAccepted() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let link = try await mallory.dial(alice)
    let id: MessageID = Random.bytes()
    for (stream, accept) in [(1, false), (3, true)] as [(UInt32, Bool)] {
      let id: MessageID = stream == 3 ? id : Random.bytes()
      link.send(Offer(stream: stream, id: id, items: 1, entries: 1, bytes: 1, name: "x"))
      link.flush()
      #expect(await eventually { alice.node.pendingOffers[Hex.encode(id.array)] != nil })
      #expect(alice.node.contacts.all.isEmpty)
      await alice.ask(.answer(id: Hex.encode(id.array), accept: accept))
    }
    #expect(await eventually { alice.node.contacts[mallory.account]?.pinned == mallory.list })
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  /// Where a registry vouches for two, the first to speak is pinned; the other is heard no more.
  @Test @LoopActor func ofTwoUnderOneNameTheFirstToSpeakStays() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let one = try Stranger("mallory", at: registry)
    let first = try await one.dial(alice)
    #expect(await one.isTaken(first))
    let two = try Stranger("mallory", at: registry)
    let second = try await two.dial(alice)
    #expect(await two.isTaken(second))
    try await one.say("hello", on: first)
    #expect(alice.node.contacts[one.account]?.pinned == one.list)
    await #expect(throws: LinkError.self) { try await two.say("no, me", on: second) }
    #expect(alice.texts == ["hello"])
    first.abort()
    await alice.node.close()
    registry.stop()
  }

  @LoopActor private final class Owner: PeerSessionOwner {
    let sessions: Sessions
    let promisedRoom = PromisedRoom()
    init(_ sessions: Sessions) { self.sessions = sessions }
    func received(_ chat: Chat, in session: PeerSession) { session.answer(Ack(id: chat.id)) }
    func confirmed(_ id: MessageID, in session: PeerSession) {}
    func refused(_ id: MessageID, _ reason: Refuse.Reason, in session: PeerSession) {}
    func changed(_ session: PeerSession) {}
    func prekeyOffer() -> (offer: PrekeyOffer, oneTime: OneTimePrekeyRecord)? { nil }
    func received(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal> {
      .failure(OfferRefusal(reason: .declined))
    }
    func withdrawn(_ offer: MessageID) {}
    func event(_ event: Event) {}
    func ended(_ session: PeerSession) { sessions.remove(session) }
  }

  /// Links in all are bounded: an idle stranger's gives way first, then a contact's; what this side dialled never does.
  @Test @LoopActor func theOldestStrangerGivesWay() async throws {
    let registry = try LyingRegistry()
    let sessions = Sessions(
      ourIdentity: try SecretIdentity.generate(now: 1).identity.publicKey, inAll: 4)
    let owner = Owner(sessions)
    var others: [SealedLink] = []
    func add(_ name: String, dialled: Bool = false, isStranger: Bool = true) async throws -> PeerSession {
      let who = try Stranger(name, at: registry)
      let (near, far) = try await FilesLinkTests.links()
      others.append(dialled ? far : near)
      let session = PeerSession(
        dialled ? near : far, peer: who.account, device: 1, takesMessages: true, owner: owner)
      if isStranger, !dialled { session.unpinned = who.list }
      sessions.add(session, identity: who.list.list.identity)
      Loop.spawn { await session.run() }
      try await Loop.sleep(for: 5)
      return session
    }
    let ours = try await add("ours", dialled: true)
    let contact = try await add("contact", isStranger: false)
    let older = try await add("older")
    let newer = try await add("newer")
    let next = try Stranger("next", at: registry).account
    #expect(sessions.makeRoom(for: next))
    #expect(older.link.isClosed && !newer.link.isClosed && !contact.link.isClosed)
    // There is room now: nobody else has to go.
    #expect(sessions.makeRoom(for: next) && !newer.link.isClosed)
    _ = try await add("next")
    newer.unpinned = nil
    #expect(sessions.makeRoom(for: next))
    let last = try await add("last", isStranger: false)
    #expect(!newer.link.isClosed && !contact.link.isClosed)
    #expect(sessions.makeRoom(for: next) && contact.link.isClosed)
    for session in [newer, last] { session.close(.done) }
    #expect(!ours.link.isClosed)
    ours.close(.done)
    #expect(await eventually { sessions.isEmpty })
    registry.stop()
  }
}
