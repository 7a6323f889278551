import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

/// Who waits for what becomes of a message hears it when it happens, and not at the end of the time.
@Suite(.serialized) struct AwaitedMessageTests {
  /// Alice writes to mallory, who has dialled her, and waits an hour for it to be read.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let mallory: Stranger
    let link: SealedLink
    private(set) var outcome: (status: SecchatNode.ExitStatus, events: [Event])?

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      mallory = try Stranger("mallory", at: registry)
      link = try await mallory.dial(alice)
      link.send(Ready(stream: 0, limit: 10))
      link.flush()
      let (node, account) = (alice.node, mallory.account)
      try #require(await eventually { node.sessions.session(with: account) != nil })
      Loop.spawn {
        self.outcome = await self.alice.ask(
          .chat(
            user: "mallory", id: Hex.encode(randomBytes(16)), text: "read this", timeout: 3_600, wait: .read))
      }
    }

    /// The message, as it comes to mallory.
    func chat() async throws -> Chat {
      while true {
        let heard = try await link.receive { (type, body) throws(WireError) in
          try PeerMessage(type: type, body: body)
        }
        if case .inquire = heard { link.send(try mallory.prekeys()) }
        if case .chat(let chat) = heard { return chat }
        link.flush()
      }
    }

    func close() async {
      link.abort()
      await alice.node.close()
      registry.stop()
    }
  }

  @Test @LoopActor func thatItIsRead() async throws {
    let scene = try await Scene()
    let chat = try await scene.chat()
    scene.link.send(Ack(id: chat.id))
    scene.link.flush()
    scene.link.send(try await scene.mallory.receipt(for: chat.id, on: scene.link))
    scene.link.flush()
    try #require(await eventually { scene.outcome != nil })
    #expect(scene.outcome?.status == .done)
    let sent = scene.outcome?.events.compactMap { if case .sent(let sent) = $0 { sent.state } else { nil } }
    #expect(sent == ["read"])
    await scene.close()
  }

  /// The word that it was read overtakes its ACK: the message still waits, also for a node that is started then, and goes out
  /// again in its place. With the ACK it is read.
  @Test @LoopActor func thatItIsReadBeforeItIsConfirmed() async throws {
    let scene = try await Scene()
    let chat = try await scene.chat()
    let link = try await scene.mallory.dial(scene.alice)
    try await scene.mallory.deliver(try await scene.mallory.receipt(for: chat.id, on: link), on: link)
    let store = scene.alice.node.store
    let restarted = try await Conversations(store)
    #expect(restarted.all.flatMap(\.waiting).map(\.message.id) == [chat.id])
    scene.link.send(Ack(id: chat.id))
    scene.link.flush()
    try #require(await eventually { scene.outcome != nil })
    #expect(scene.outcome?.status == .done)
    let sent = scene.outcome?.events.compactMap { if case .sent(let sent) = $0 { sent.state } else { nil } }
    #expect(sent == ["read"])
    link.abort()
    await scene.close()
  }

  /// Another peer's word that it was read is none.
  @Test @LoopActor func notThatAnotherHasReadIt() async throws {
    let scene = try await Scene()
    let chat = try await scene.chat()
    scene.link.send(Ack(id: chat.id))
    scene.link.flush()
    let carol = try Stranger("carol", at: scene.registry)
    let link = try await carol.dial(scene.alice)
    link.send(try await carol.receipt(for: chat.id, on: link))
    link.flush()
    while try await link.receive({ (type, _) throws(WireError) in type }) != .ack {}
    scene.link.send(try await scene.mallory.receipt(for: chat.id, on: scene.link))
    scene.link.flush()
    try #require(await eventually { scene.outcome != nil })
    #expect(scene.outcome?.status == .done)
    link.abort()
    await scene.close()
  }

  @Test @LoopActor func thatItIsNotTaken() async throws {
    let scene = try await Scene()
    let chat = try await scene.chat()
    scene.link.send(Refuse(id: chat.id, reason: .declined))
    scene.link.flush()
    try #require(await eventually { scene.outcome != nil })
    #expect(scene.outcome?.status == .refused)
    #expect(scene.alice.waiting == 0)
    await scene.close()
  }

  /// Where that cannot be written, it is said all the same; and the message waits, as it does on the disk.
  @Test @LoopActor func thatItIsNotTakenByAFullDisk() async throws {
    let scene = try await Scene()
    let chat = try await scene.chat()
    try await scene.alice.node.store.write { (database) throws(SQLiteError) in
      try database.run(
        """
        CREATE TRIGGER full BEFORE UPDATE OF state ON messages WHEN NEW.state = 15
        BEGIN SELECT RAISE(ABORT, 'full'); END
        """)
    }
    scene.link.send(Refuse(id: chat.id, reason: .declined))
    scene.link.flush()
    try #require(await eventually { scene.outcome != nil })
    #expect(scene.outcome?.status == .refused)
    #expect(await eventually { scene.alice.waiting == 1 })
    await scene.close()
  }

  /// Whoever says of each message that it is out of turn, of the first on its way too, is left alone for a while.
  @Test @LoopActor func thatItIsOutOfTurnAgainAndAgain() async throws {
    let scene = try await Scene()
    let courier = { scene.alice.node.couriers[scene.mallory.account] }
    for number in 1...2 {
      #expect(courier()?.trouble == nil)
      scene.link.send(Refuse(id: try await scene.chat().id, reason: .outOfTurn))
      scene.link.flush()
      if number == 2 { #expect(await eventually { courier()?.trouble == "mallory is busy" }) }
    }
    await scene.close()
  }
}
