import Dispatch
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

/// A change that the database does not take, in the middle of a conversation.
@Suite(.serialized) struct UnwrittenChangeTests {
  /// Alice, and mallory, who has dialled her and writes by hand.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let mallory: Stranger
    private(set) var link: SealedLink

    init(credit: UInt64 = 100) async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      mallory = try Stranger("mallory", at: registry)
      link = try await mallory.dial(alice)
      try await open(credit)
    }

    func redial() async throws {
      link = try await mallory.dial(alice)
      try await open(100)
    }

    private func open(_ credit: UInt64) async throws {
      link.deadline = .now + 20_000
      link.send(Ready(stream: 0, limit: credit))
      link.flush()
      let (node, account) = (alice.node, mallory.account)
      try #require(await eventually { node.sessions.session(with: account) != nil })
    }

    /// What comes, but for grants and what is asked of prekeys, which are said.
    func next() async throws -> PeerMessage {
      while true {
        let message = try await link.receive { (type, body) throws(WireError) in
          try PeerMessage(type: type, body: body)
        }
        switch message {
        case .ready: continue
        case .inquire: link.send(try mallory.prekeys())
        default: return message
        }
        link.flush()
      }
    }

    /// Sends a message and confirms what comes meanwhile; why it is not taken, nil where it is.
    func say(_ chat: Chat) async throws -> Refuse.Reason? {
      link.send(chat)
      link.flush()
      while true {
        switch try await next() {
        case .chat(let chat): link.send(Ack(id: chat.id))
        case .ack(let ack) where ack.id == chat.id: return nil
        case .refuse(let refuse) where refuse.id == chat.id: return refuse.reason
        default: continue
        }
        link.flush()
      }
    }

    /// The next message of alice's.
    func chat() async throws -> Chat {
      while true { if case .chat(let chat) = try await next() { return chat } }
    }

    func database(_ statement: StaticString) async throws(NodeError) {
      try await alice.node.store.write { (database) throws(SQLiteError) in try database.run(statement) }
    }

    func close() async {
      link.abort()
      await alice.node.close()
      registry.stop()
    }
  }

  /// Nor is one that was made on top of it, though the database has meanwhile gone on from where it was.
  @Test @LoopActor func whatBuildsOnItIsNotWrittenEither() async throws {
    let scene = try await Scene()
    let store = scene.alice.node.store
    func commit(_ correspondent: Correspondent) async throws {
      let done = OneShot<Result<Void, NodeError>>()
      var change = MessageChange()
      change.correspondence = correspondent.change(store)
      store.commit(change) { result in done.fulfil(result.map { _ in () }) }
      try await done.wait().get()
    }
    let conversation = try await scene.alice.node.conversations.open(scene.mallory.account)
    let party = try #require(Party(1, on: scene.mallory.list.list))
    let former = try await conversation.correspondent(party)
    try await commit(former)
    // Is lost on its way to the disk.
    _ = former.change(store)
    conversation.forget(former)
    let later = try await conversation.correspondent(party)
    #expect(later !== former)
    try await commit(later)
    await #expect(throws: ProfileStore.unfounded) { try await commit(former) }
    try await commit(later)
    await scene.close()
  }

  /// Alice waits for an answer while what comes to her cannot be written. What she sends afterwards is made from what is
  /// on the disk, and nothing is lost.
  @Test @LoopActor func theCourierLetsGoOfWhatIsNotOnDisk() async throws {
    let scene = try await Scene()
    let outcomes = Box<[SecchatNode.ExitStatus]>([])
    func chat() {
      Loop.spawn { outcomes.value.append(await scene.alice.chat("mallory", timeout: 60).status) }
    }
    #expect(try await scene.say(scene.mallory.chat("hello", on: scene.link)) == nil)
    chat()
    let first = try await scene.chat()
    try await scene.database(
      """
      CREATE TRIGGER full BEFORE INSERT ON messages WHEN NEW.state = 1
      BEGIN SELECT RAISE(ABORT, 'full'); END
      """)
    let one = try await scene.mallory.chat("one", on: scene.link)
    #expect(try await scene.say(one) == .busy)
    await #expect(throws: LinkError.closed(.goingAway)) { _ = try await scene.next() }
    try await scene.database("DROP TRIGGER full")

    try await scene.redial()
    #expect(try await scene.chat().id == first.id)
    #expect(try await scene.say(one) == nil)
    #expect(try await scene.say(scene.mallory.chat("two", on: scene.link)) == nil)
    scene.link.send(Ack(id: first.id))
    scene.link.flush()
    chat()
    let second = try await scene.chat()
    scene.link.send(Ack(id: second.id))
    scene.link.flush()
    try #require(await eventually { outcomes.value.count == 2 })
    #expect(outcomes.value == [.done, .done])
    #expect(try await scene.say(scene.mallory.chat("three", on: scene.link)) == nil)
    #expect(scene.alice.texts == ["hello", "one", "two", "three"])
    #expect(scene.alice.resets == 0)
    await scene.close()
  }

  /// What it began a session with has not been used: the same message is taken when there is room.
  @Test @LoopActor func itsPrekeyIsThereStill() async throws {
    let scene = try await Scene()
    let first = try await scene.mallory.chat("hello", on: scene.link)
    try await scene.database(
      "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END")
    #expect(try await scene.say(first) == .busy)
    try await scene.database("DROP TRIGGER full")
    #expect(try await scene.say(first) == nil)
    #expect(scene.alice.texts == ["hello"])
    await scene.close()
  }

  /// A message whose row was not written does not leave.
  @Test @LoopActor func whatIsNotKeptDoesNotLeave() async throws {
    let scene = try await Scene()
    let done = OneShot<Result<Void, NodeError>>()
    let row = scene.alice.node.conversations.newMessageRow()
    scene.alice.node.store.commit(MessageChange(states: [(row, .sent)])) { result in
      done.fulfil(result.map { _ in () })
    }
    await #expect(throws: ProfileStore.unfounded) { try await done.wait().get() }
    await scene.close()
  }

  /// One that could not be taken back, while those behind it went out: they all go out again, in their order.
  @Test @LoopActor func whatIsNotTakenBackKeepsItsPlace() async throws {
    let scene = try await Scene(credit: 1)
    let node = scene.alice.node
    let ids = (0..<3).map { _ in Hex.encode(randomBytes(16)) }
    for id in ids {
      await scene.alice.ask(.chat(user: "mallory", id: id, text: "x", timeout: 60, wait: .queued))
    }
    #expect(Hex.encode(try await scene.chat().id.array) == ids[0])
    try await scene.database(
      "CREATE TRIGGER full BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'full'); END")

    // The database is busy until the third is behind the second in vain.
    let mayGoOn = DispatchSemaphore(value: 0)
    node.store.queue.write { (_) throws(SQLiteError) in
      mayGoOn.wait()
    } then: { _ in
    }
    let outcome = Box<SecchatNode.ExitStatus?>(nil)
    Loop.spawn { outcome.value = await scene.alice.ask(.cancel(id: ids[1])).status }
    try #require(await eventually { scene.alice.waiting == 2 })
    let session = try #require(node.sessions.session(with: scene.mallory.account))
    scene.link.send(Ready(stream: 0, limit: 100))
    scene.link.flush()
    let isUnderWay = await eventually { session.chatCredit == 98 }
    mayGoOn.signal()
    try #require(isUnderWay)
    try #require(await eventually { outcome.value != nil })
    #expect(outcome.value != .done)
    await #expect(throws: LinkError.closed(.goingAway)) { while true { _ = try await scene.next() } }

    try await scene.redial()
    for id in ids {
      let chat = try await scene.chat()
      #expect(Hex.encode(chat.id.array) == id)
      scene.link.send(Ack(id: chat.id))
      scene.link.flush()
    }
    try #require(await eventually { scene.alice.waiting == 0 })
    await scene.close()
  }
}
