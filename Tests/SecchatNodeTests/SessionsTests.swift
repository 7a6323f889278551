import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Which of several sessions with a peer is used, and what becomes of the others.
@Suite struct SessionsTests {
  /// One of two nodes that talk to each other.
  @LoopActor private final class Side: PeerSessionOwner {
    let account: Account
    let identity: IdentityPublicKey
    let sessions: Sessions
    let promisedRoom = PromisedRoom()
    private(set) var texts: [String] = []
    var refusal: Refuse.Reason?

    init(_ name: String, identity: IdentityPublicKey, registry: LinkPublicKey) throws {
      account = Account(name: try #require(UserName(name)), registry: registry)
      self.identity = identity
      sessions = Sessions(ourIdentity: identity)
    }

    func begin(_ link: SealedLink, with other: Side, takesMessages: Bool = true) -> PeerSession {
      let session = PeerSession(
        link, peer: other.account, device: 1, takesMessages: takesMessages, owner: self)
      sessions.add(session, identity: other.identity)
      Loop.spawn { await session.run() }
      return session
    }

    /// Messages are named by their texts: what is sealed in them is not what is tested.
    func received(_ chat: Chat, in session: PeerSession) {
      if let refusal { return session.answer(Refuse(id: chat.id, reason: refusal)) }
      texts.append(String(decoding: chat.id.array.prefix { $0 != 0 }, as: UTF8.self))
      session.answer(Ack(id: chat.id))
    }

    private var answers: [MessageID: OneShot<Refuse.Reason?>] = [:]
    func confirmed(_ id: MessageID, in session: PeerSession) { answers[id]?.fulfil(nil) }
    func refused(_ id: MessageID, _ reason: Refuse.Reason, in session: PeerSession) {
      answers[id]?.fulfil(reason)
    }
    func changed(_ session: PeerSession) {}
    func prekeyOffer() -> (offer: PrekeyOffer, oneTime: OneTimePrekeyRecord)? { nil }

    /// Whether a message is on its way.
    private(set) var isWaiting = false

    static func chat(_ text: String) throws -> Chat {
      let name = Array(text.utf8)
      return .unreadable(try #require(MessageID(name + [UInt8](repeating: 0, count: 16 - name.count))))
    }

    /// Offers that a user thinks about until they are withdrawn.
    private(set) var thinking: [MessageID: OneShot<Bool>] = [:]
    private(set) var offered = 0
    var mayThink = false

    func received(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal> {
      offered += 1
      guard mayThink else { return .failure(OfferRefusal(reason: .declined)) }
      let slot = OneShot<Bool>()
      thinking[offer.id] = slot
      _ = try? await slot.wait()
      thinking[offer.id] = nil
      return .failure(OfferRefusal(reason: .declined))
    }

    func withdrawn(_ offer: MessageID) { thinking[offer]?.fulfil(false) }

    func event(_ event: Event) {}
    func ended(_ session: PeerSession) { sessions.remove(session) }

    func say(_ text: String, to other: Side) async throws -> Refuse.Reason? {
      let session = try #require(sessions.session(with: other.account))
      let chat = try Self.chat(text)
      let slot = OneShot<Refuse.Reason?>()
      answers[chat.id] = slot
      try #require(await eventually { session.chatCredit > 0 })
      session.expect(chat)
      session.send(chat)
      isWaiting = true
      return try await slot.wait(deadline: .now + 60_000)
    }
  }

  /// Alice has the lower identity key.
  @LoopActor private func sides() throws -> (alice: Side, bob: Side) {
    let registry = try LinkKeyPair.random().publicKey
    func key(_ byte: UInt8) throws -> IdentityPublicKey {
      IdentityPublicKey(try #require(FixedBytes<32>([UInt8](repeating: byte, count: 32))))
    }
    return (
      try Side("alice", identity: key(1), registry: registry),
      try Side("bob", identity: key(2), registry: registry)
    )
  }

  /// A link that `near` has dialled.
  @LoopActor private func link() async throws -> (near: SealedLink, far: SealedLink) {
    try await FilesLinkTests.links()
  }

  @Test @LoopActor func twoDialledAtOnceBecomeOne() async throws {
    for bobsIsFirst in [false, true] {
      let (alice, bob) = try sides()
      let (a, b) = (try await link(), try await link())
      // Each side learns of the two links in another order.
      let aliceOwn = alice.begin(a.near, with: bob)
      let aliceOther = alice.begin(b.far, with: bob)
      if bobsIsFirst {
        _ = bob.begin(b.near, with: alice)
        _ = bob.begin(a.far, with: alice)
      } else {
        _ = bob.begin(a.far, with: alice)
        _ = bob.begin(b.near, with: alice)
      }
      // Alice's key is the lower: hers stays, and bob ends his.
      #expect(await eventually { !aliceOther.isOpen })
      #expect(aliceOwn.isOpen && !aliceOwn.isRetired)
      #expect(alice.sessions.session(with: bob.account) === aliceOwn)
      #expect(try await alice.say("to bob", to: bob) == nil)
      #expect(try await bob.say("to alice", to: alice) == nil)
      #expect(bob.texts == ["to bob"] && alice.texts == ["to alice"])
      alice.sessions.close(.done)
    }
  }

  /// Messages that are on their way over the link that loses still arrive and are confirmed.
  @Test @LoopActor func nothingIsLostWithTheOneThatLoses() async throws {
    let (alice, bob) = try sides()
    let (a, b) = (try await link(), try await link())
    _ = bob.begin(b.near, with: alice)
    // Alice is not there to take it yet; the message is on its way before she learns of either link.
    b.far.send(Ready(stream: 0, limit: 256))
    b.far.flush()
    let confirmed = OneShot<Bool>()
    Loop.spawn {
      do { confirmed.fulfil(try await bob.say("over the loser", to: alice) == nil) } catch {
        confirmed.fulfil(false)
      }
    }
    try #require(await eventually { bob.isWaiting })
    _ = alice.begin(a.near, with: bob)
    _ = bob.begin(a.far, with: alice)
    _ = alice.begin(b.far, with: bob)
    #expect(try await confirmed.wait(deadline: .now + 60_000))
    #expect(alice.texts == ["over the loser"])
    alice.sessions.close(.done)
  }

  @Test @LoopActor func whoDialsAnewReplacesTheOld() async throws {
    let (alice, bob) = try sides()
    let (first, second) = (try await link(), try await link())
    let old = alice.begin(first.near, with: bob)
    _ = bob.begin(first.far, with: alice)
    let new = alice.begin(second.near, with: bob)
    _ = bob.begin(second.far, with: alice)
    #expect(await eventually { !old.isOpen })
    #expect(alice.sessions.session(with: bob.account) === new)
    // Bob may send here once alice's first credit has come.
    #expect(await eventually { bob.sessions.session(with: alice.account) != nil })
    #expect(try await bob.say("still there", to: alice) == nil)
    alice.sessions.close(.done)
    #expect(await eventually { alice.sessions.isEmpty && bob.sessions.isEmpty })
  }

  /// What is not taken is said to be so, and the next message may be.
  @Test @LoopActor func aBusyNodeRefuses() async throws {
    let (alice, bob) = try sides()
    let pair = try await link()
    _ = alice.begin(pair.near, with: bob)
    _ = bob.begin(pair.far, with: alice)
    bob.refusal = .busy
    #expect(try await alice.say("too soon", to: bob) == .busy)
    bob.refusal = nil
    #expect(try await alice.say("again", to: bob) == nil)
    #expect(bob.texts == ["again"])
    alice.sessions.close(.done)
  }

  /// Who leaves a message unconfirmed and is silent besides may be elsewhere by now: the next message dials. What comes
  /// late takes the doubt away.
  @Test @LoopActor func whoSaysNothingIsDialledAnew() async throws {
    let (alice, bob) = try sides()
    let pair = try await link()
    let session = alice.begin(pair.near, with: bob)
    pair.far.send(Ready(stream: 0, limit: 256))
    pair.far.flush()
    #expect(await eventually { session.chatCredit > 0 })
    let arrivals = session.arrivals
    let message = try Side.chat("anybody there?")
    session.expect(message)
    session.send(message)
    session.doubt(since: arrivals - 1)
    #expect(alice.sessions.session(with: bob.account) === session, "something has come")
    session.doubt(since: arrivals)
    #expect(session.isOpen && alice.sessions.session(with: bob.account) == nil)
    pair.far.send(Ack(id: message.id))
    pair.far.flush()
    #expect(await eventually { alice.sessions.session(with: bob.account) === session })
    alice.sessions.close(.done)
  }

  /// A node that runs for one command grants no credit: whoever sends all the same is cut off, and nothing is
  /// confirmed that nobody would have seen.
  @Test @LoopActor func noCreditNoMessages() async throws {
    let (alice, bob) = try sides()
    let pair = try await link()
    let session = bob.begin(pair.far, with: alice, takesMessages: false)
    pair.near.send(try Side.chat("unasked"))
    pair.near.flush()
    #expect(await eventually { !session.isOpen })
    #expect(bob.texts.isEmpty)
    let heard = await failure { () throws(LinkError) in
      _ = try await pair.near.receive { (type, _) throws(WireError) in type }
    }
    #expect(heard != nil)
  }

  /// Offers that are withdrawn at once leave nothing behind, and at most a few are thought about at a time.
  @Test @LoopActor func offersComeAndGo() async throws {
    let (alice, bob) = try sides()
    bob.mayThink = true
    let pair = try await link()
    let session = bob.begin(pair.far, with: alice)
    func offer(_ stream: UInt32) -> Offer {
      Offer(stream: stream, id: Random.bytes(), items: 1, entries: 1, bytes: 1, name: "x")
    }
    for n in 0..<100 {
      let stream = UInt32(2 * n + 1)
      pair.near.send(offer(stream))
      pair.near.send(Cancel(stream: stream, reason: .stopped))
    }
    pair.near.send(try Side.chat("after them"))
    pair.near.flush()
    #expect(await eventually { bob.texts == ["after them"] && bob.thinking.isEmpty })
    for n in 100..<150 { pair.near.send(offer(UInt32(2 * n + 1))) }
    pair.near.flush()
    #expect(await eventually { bob.thinking.count == 16 })
    // A number that was used before ends the link, and with it what is being thought about.
    pair.near.send(offer(1))
    pair.near.flush()
    #expect(await eventually { !session.isOpen && bob.thinking.isEmpty })
  }
}
