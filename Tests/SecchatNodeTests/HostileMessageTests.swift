import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatCore
@testable import SecchatNode

/// A peer with a session of its own who seals what no honest program seals (docs/protocol.md, section 13): it is not
/// taken, and changes nothing.
@Suite(.serialized) struct HostileMessageTests {
  /// Mallory, with a link to alice's node.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let mallory: Stranger
    let link: SealedLink

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      mallory = try Stranger("mallory", at: registry)
      link = try await mallory.dial(alice)
      link.deadline = .now + 120_000
    }

    /// The next message that is no grant.
    func next() async throws -> PeerMessage {
      while true {
        let message = try await link.receive { (type, body) throws(WireError) in
          try PeerMessage(type: type, body: body)
        }
        if case .ready = message { continue }
        return message
      }
    }

    /// Sends a message; how it is answered. Nil: it is taken.
    func say(_ id: MessageID, _ envelope: Envelope) async throws -> Refuse.Reason? {
      link.send(Chat(id: id, first: true, envelope: envelope))
      link.flush()
      switch try await next() {
      case .ack(let ack):
        #expect(ack.id == id)
        return nil
      case .refuse(let refuse):
        #expect(refuse.id == id)
        return refuse.reason
      default: throw TookTooLong("an answer")
      }
    }

    /// A session with alice's device in which anything can be sealed.
    func session() async throws -> RatchetSession {
      link.send(Inquire())
      link.flush()
      guard case .prekeys(let prekeys) = try await next() else { throw TookTooLong("prekeys") }
      let list = try alice.node.ownList().list
      let bundle = try PrekeyBundle(verifying: prekeys.offer, of: 1, on: list, now: 0)
      let ours = try #require(Party(1, on: mallory.list.list))
      return try RatchetSession.begin(with: bundle, as: ours, mallory.identity)
    }

    /// What alice has brought to the registry.
    var publishes: [Publish] { UserName("alice").flatMap { registry.publishes[$0] } ?? [] }

    /// Waits until she has published more often than that, and is done.
    func settle(beyond count: Int) async throws {
      try #require(await eventually { self.publishes.count > count && !self.alice.node.isStocking })
    }

    /// How many prekeys she keeps.
    func prekeys() async throws -> Int64 {
      let count = try await alice.node.store.read { (database) throws(SQLiteError) in
        try database.first("SELECT count(*) FROM prekeys") { (row) throws(SQLiteError) in try row.integer(0) }
      }
      return try #require(count)
    }

    func close() async {
      link.abort()
      await alice.node.close()
      registry.stop()
    }
  }

  private static func content(
    _ sequence: UInt64 = 1, after previous: Content? = nil, _ text: String = "hello"
  ) -> Content {
    Content(
      sequence: sequence, previous: previous?.hash ?? FixedBytes(),
      message: Message(id: Random.bytes(), sent: 0, body: .text(text)))
  }

  /// The name under which a message is confirmed is the one that is sealed in it.
  @Test @LoopActor func anotherNameOutside() async throws {
    let scene = try await Scene()
    var session = try await scene.session()
    let content = Self.content()
    let before = scene.alice.remains.events
    #expect(try await scene.say(Random.bytes(), session.seal(content.encoded)) == .declined)
    #expect(scene.alice.remains.events == before)
    // Nothing of it was kept: under its own name it is new.
    #expect(try await scene.say(content.message.id, session.seal(content.encoded)) == nil)
    #expect(scene.alice.texts == ["hello"] && scene.alice.resets == 0)
    await scene.close()
  }

  /// Well sealed and not to be read, as the first message of a session and as a later one.
  @Test @LoopActor func contentsThatCannotBeRead() async throws {
    let scene = try await Scene()
    var session = try await scene.session()
    let good = Self.content().encoded
    func broken(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
      var bytes = good
      change(&bytes)
      return bytes
    }
    let contents: [(String, [UInt8])] = [
      ("sequence 0", broken { $0[7] = 0 }), ("an unknown kind", broken { $0[68] = 3 }),
      ("an empty text", broken { $0.replaceSubrange(69..., with: [UInt8](repeating: 0, count: 187)) }),
      ("a text longer than the whole", broken { $0[69] = 0xff }),
      ("no UTF-8", broken { $0[71] = 0xff }), ("a receipt for nothing", broken { ($0[68], $0[69]) = (2, 0) }),
      ("a receipt for too many", broken { ($0[68], $0[69]) = (2, 65) }),
      ("something in the padding", broken { $0[255] = 1 }),
      ("too much padding", good + [UInt8](repeating: 0, count: 256)),
    ]
    var last: Content?
    for text in ["hello", "hello again"] {
      let before = scene.alice.remains.events
      for (what, bytes) in contents {
        #expect(try await scene.say(Random.bytes(), session.seal(bytes)) == .declined, "\(what)")
      }
      #expect(scene.alice.remains.events == before)
      // The session goes on.
      let content = Self.content((last?.sequence ?? 0) + 1, after: last, text)
      #expect(try await scene.say(content.message.id, session.seal(content.encoded)) == nil)
      last = content
    }
    #expect(scene.alice.texts == ["hello", "hello again"] && scene.alice.resets == 0)
    await scene.close()
  }

  /// A person who has read a message that went to somebody else.
  @Test @LoopActor func aReceiptForAnothersMessage() async throws {
    let scene = try await Scene()
    let (alice, bob) = (scene.alice, try await NodeAtWork("bob", at: scene.registry))
    #expect(await alice.chat("bob").status == .done)
    let row = try #require(alice.node.conversations[try alice.account("bob")]).row
    let ids = try await alice.node.store.read { (database) throws(SQLiteError) in
      try database.query("SELECT message FROM messages WHERE conversation = ?", row) {
        (row) throws(SQLiteError) in try row.blob(0)
      }
    }
    let id = try #require(ids.first.flatMap(MessageID.init))
    #expect(
      try await eventually { try await alice.node.store.state(of: id, in: row) == .delivered })
    let before = alice.remains.events
    let receipt = Content(
      sequence: 1, previous: FixedBytes(),
      message: Message(id: Random.bytes(), sent: 0, body: .read([id, Random.bytes()])))
    var session = try await scene.session()
    #expect(try await scene.say(receipt.message.id, session.seal(receipt.encoded)) == nil)
    #expect(try await alice.node.store.state(of: id, in: row) == .delivered)
    // Nor is anybody told of it.
    #expect(alice.remains.events == before)
    // Bob's own word is taken.
    let seen = Hex.encode(id.array)
    #expect(await bob.ask(.seen(user: "alice", ids: [seen])).status == .done)
    #expect(
      await eventually {
        alice.events.contains { event in
          guard case .sent(let sent) = event else { return false }
          return sent.id == seen && sent.to == "bob" && sent.state == "read"
        }
      })
    await bob.node.close()
    await scene.close()
  }

  /// Prekeys that nobody has asked for, and those that the device has not signed.
  @Test @LoopActor func prekeysUnaskedAndForged() async throws {
    let scene = try await Scene()
    let (link, mallory, alice) = (scene.link, scene.mallory, scene.alice)
    func prekeys(_ id: UInt32, by signer: SecretIdentity) throws -> Prekeys {
      let key = try AgreementPrivateKey<SignedPrekeyPurpose>.random().publicKey
      let signed = SignedPrekey(
        signing: key, id: id, expires: .max, for: mallory.account, device: 1, with: signer.signing)
      return Prekeys(offer: PrekeyOffer(signed: signed, oneTime: nil))
    }
    let forger = try SecretIdentity.generate(now: 1)
    for signer in [mallory.identity, forger] { link.send(try prekeys(7, by: signer)) }
    link.send(Ready(stream: 0, limit: 10))
    link.flush()
    #expect(await eventually { alice.node.sessions.session(with: mallory.account) != nil })
    let outcome = Box<SecchatNode.ExitStatus?>(nil)
    Loop.spawn { outcome.value = await alice.chat("mallory", timeout: 60).status }
    var inquiries: UInt32 = 0
    var chats: [Chat] = []
    while chats.isEmpty {
      switch try await scene.next() {
      case .inquire:
        inquiries += 1
        link.send(try prekeys(7 + inquiries, by: inquiries == 1 ? forger : mallory.identity))
      case .chat(let chat):
        chats.append(chat)
        link.send(Ack(id: chat.id))
      default: break
      }
      link.flush()
    }
    // Only what was asked for and well signed was of use.
    #expect(chats.map(\.envelope.initiation?.signed) == [9])
    #expect(await eventually { outcome.value == .done })
    await scene.close()
  }

  /// Who asks for prekeys again and again is answered now and then, and nothing of it is kept.
  @Test @LoopActor func aFloodOfInquiries() async throws {
    let scene = try await Scene()
    try await scene.settle(beyond: 1)
    let rows = try await scene.prekeys()
    for _ in 0..<2_000 { scene.link.send(Inquire()) }
    // Handled after them all.
    let last = Chat.unreadable()
    scene.link.send(last)
    scene.link.flush()
    var answers = 0
    while case .prekeys = try await scene.next() { answers += 1 }
    #expect(answers < 500)
    #expect(try await scene.prekeys() == rows)
    // An answer may still be on its way here.
    let link = try await scene.mallory.dial(scene.alice)
    try await scene.mallory.say("hello", on: link)
    #expect(scene.alice.texts == ["hello"])
    link.abort()
    await scene.close()
  }

  /// To look for the key of a message that nothing opens is dear: who sends many has no link any more, and others have.
  @Test @LoopActor func aFloodOfMessagesThatNothingOpens() async throws {
    let scene = try await Scene()
    let link = try await scene.mallory.dial(scene.alice)
    for _ in 0..<64 { scene.link.send(Chat.unreadable()) }
    scene.link.flush()
    var refusals = 0
    await #expect(throws: LinkError.closed(.protocolError)) {
      while true { if case .refuse = try await scene.next() { refusals += 1 } }
    }
    #expect(refusals == 64)
    try await scene.mallory.say("hello", on: link)
    #expect(scene.alice.texts == ["hello"])
    link.abort()
    await scene.close()
  }

  /// Who dials again after each 64 of them is not listened to for a while; others are.
  @Test @LoopActor func overOneLinkAfterAnother() async throws {
    let scene = try await Scene()
    let bob = try Stranger("bob", at: scene.registry)
    let bobs = try await bob.dial(scene.alice)
    for _ in 0..<4 {
      let link = try await scene.mallory.dial(scene.alice)
      link.deadline = .now + 60_000
      for _ in 0..<64 { link.send(Chat.unreadable()) }
      link.flush()
      await #expect(throws: LinkError.closed(.protocolError)) {
        while true { _ = try await link.receive { (type, _) throws(WireError) in type } }
      }
    }
    let chat = Chat.unreadable()
    #expect(try await scene.say(chat.id, chat.envelope) == .busy)
    try await bob.say("hello", on: bobs)
    #expect(scene.alice.texts == ["hello"])
    bobs.abort()
    await scene.close()
  }

  /// First messages with prekeys that are not there: each is said to be so, and all prekeys at the registry are replaced
  /// once, not once for each.
  @Test @LoopActor func aFloodOfUnknownPrekeys() async throws {
    let scene = try await Scene()
    try await scene.settle(beyond: 1)
    let signed = try #require(scene.publishes.last?.signed)
    let rows = try await scene.prekeys()
    for round in 0..<2 {
      // On one link there may be no more than 64.
      for number in 0..<30 as Range<UInt32> {
        // Neither of the two is there, or only one of them.
        let initiation = Initiation(
          ephemeral: try AgreementPrivateKey.random().publicKey,
          signed: number % 2 == 0 ? signed.id ^ 1 : signed.id, oneTime: UInt32.max - number)
        let chat = Chat.unreadable()
        let envelope = Envelope(
          session: chat.envelope.session, initiation: initiation, header: chat.envelope.header,
          sealed: chat.envelope.sealed)
        #expect(try await scene.say(chat.id, envelope) == .unknownPrekey)
      }
      // What the second round asks for is seen to before this.
      try await scene.settle(beyond: 3)
      scene.registry.push(Stock(left: 19), to: try scene.alice.account("alice").name)
      try await scene.settle(beyond: scene.publishes.count)
      #expect(scene.publishes.dropFirst(2).count(where: \.replace) == 1, "round \(round)")
    }
    #expect(try await scene.prekeys() == rows + 100)
    #expect(scene.alice.texts.isEmpty && scene.alice.resets == 0)
    // Who has good ones is heard.
    var session = try await scene.session()
    let content = Self.content()
    #expect(try await scene.say(content.message.id, session.seal(content.encoded)) == nil)
    #expect(scene.alice.texts == ["hello"])
    await scene.close()
  }
}
