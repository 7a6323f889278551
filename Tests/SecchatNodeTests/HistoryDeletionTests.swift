import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

/// A history that is deleted is gone whole, or there whole: whatever fails on the way, no message is left that nothing opens.
@Suite struct HistoryDeletionTests {
  @Test func theNewKeyOpensTheOldMessagesUntilItIsAlone() throws {
    let message = Message(id: Random.bytes(), sent: 1, body: .text("x"))
    let former = ConversationKey()
    let (old, both) = (former.seal(message, row: 1, isOurs: true), ConversationKey(succeeding: former))
    let new = both.seal(message, row: 2, isOurs: true)
    for key in [both, try ConversationKey(both.exported)] {
      #expect(
        key.open(old, row: 1, isOurs: true) == message && key.open(new, row: 2, isOurs: true) == message)
      #expect(key.open(old, row: 2, isOurs: true) == nil)
    }
    for key in [both.alone, try ConversationKey(both.alone.exported)] {
      #expect(key.open(old, row: 1, isOurs: true) == nil && key.open(new, row: 2, isOurs: true) == message)
    }
    #expect(former.open(new, row: 2, isOurs: true) == nil)
    // Deletions that fail one after the other.
    let third = ConversationKey(succeeding: ConversationKey(succeeding: both))
    for key in [third, try ConversationKey(third.exported)] {
      #expect(
        key.open(old, row: 1, isOurs: true) == message && key.open(new, row: 2, isOurs: true) == message)
    }
    #expect(third.exported.count == 4 * both.alone.exported.count && third.alone.exported.count == 32)
    for length in [0, 31, 33, 63] {
      #expect(throws: CryptoError.wrongLength) { try ConversationKey(SecretBytes(count: length) { _ in }) }
    }
  }

  @Test @LoopActor func whatCannotBeDeletedStays() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let link = try await bob.dial(alice)
    try await bob.say("one", on: link)
    _ = await alice.chat("bob", timeout: 0.01)
    func history() async -> [String] {
      await alice.ask(.history(user: "bob", search: nil, since: nil, limit: nil)).events.compactMap {
        if case .message(let message) = $0 { message.text } else { nil }
      }
    }
    #expect(await history() == ["one", "for your eyes"])

    // The disk is full just when the messages are to go.
    func change(_ statement: StaticString) async throws(NodeError) {
      try await alice.node.store.write { (database) throws(SQLiteError) in try database.run(statement) }
    }
    try await change(
      "CREATE TRIGGER full BEFORE UPDATE OF body ON messages BEGIN SELECT RAISE(ABORT, 'full'); END")
    for _ in 0..<3 { #expect(await alice.ask(.deleteHistory(user: "bob")).status != .done) }
    try await bob.say("two", on: link)
    #expect(await history() == ["one", "for your eyes", "two"])
    // Nor does the next start find anything that it cannot open.
    let keys = try await alice.node.store.conversations().map { ($0.id, $0.key) }
    #expect(
      try await alice.node.store.waiting(Dictionary(uniqueKeysWithValues: keys)).values.joined().count == 1)

    try await change("DROP TRIGGER full")
    // A message that comes in the very turn is deleted, or there and legible.
    let three = Task { try await bob.say("three", on: link) }
    await Task.yield()
    #expect(await alice.ask(.deleteHistory(user: "bob")).status == .done)
    try await three.value
    #expect([["for your eyes"], ["for your eyes", "three"]].contains(await history()))
    try await bob.say("four", on: link)
    #expect(await history().last == "four")

    // Of two at once the second is told so, or comes behind the first.
    async let first = alice.ask(.deleteHistory(user: "bob"))
    async let second = alice.ask(.deleteHistory(user: "bob"))
    for (status, events) in await [first, second] where status != .done {
      #expect(events == [.failure(NodeError(.usage, "the history with bob is being deleted already"))])
    }
    #expect(await history() == ["for your eyes"])
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  /// Who reads the past while one history goes hears of all the others, and of what came behind it.
  @Test @LoopActor func aHistoryThatIsDeletedMeanwhileEndsNoOthers() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    for (name, text) in [("bob", "from bob"), ("carol", "from carol")] {
      let stranger = try Stranger(name, at: registry)
      let link = try await stranger.dial(alice)
      try await stranger.say(text, on: link)
      link.close()
    }
    let reader = try HistoryReader(alice.node.folder)
    let current = Dictionary(uniqueKeysWithValues: alice.node.conversations.all.map { ($0.row, $0.key) })
    for limit in [nil, 10] {
      // As they were before, once; then as they are.
      var earlier: HistoryReader.Keys? = current.mapValues { _ in ConversationKey() }
      var found: [Message.Body] = []
      try await reader.read(HistoryQuery(limit: limit, now: 1)) {
        defer { earlier = nil }
        return earlier ?? current
      } _: { part in
        found += part.map(\.message.message.body)
        return true
      }
      #expect(found == [.text("from bob"), .text("from carol")])
      await #expect(throws: ProfileStore.damaged) {
        let strange = current.mapValues { _ in ConversationKey() }
        try await reader.read(HistoryQuery(limit: limit, now: 1), keys: { strange }, { _ in true })
      }
    }
    await reader.close()
    await alice.node.close()
    registry.stop()
  }

  /// A node that ended before it could write that a message was confirmed, and with the history deleted behind that: the
  /// profile opens all the same.
  @Test @LoopActor func aRowThatWaitsWithoutABody() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    registry.enrol(try Stranger("bob", at: registry).list)
    for _ in 0..<2 { _ = await alice.chat("bob", timeout: 0.01) }
    let store = alice.node.store
    try await store.write { (database) throws(SQLiteError) in
      try database.run("UPDATE messages SET body = NULL WHERE id = (SELECT min(id) FROM messages)")
    }
    let conversations = try await Conversations(store)
    #expect(conversations.all.flatMap(\.waiting).count == 1)
    await alice.node.close()
    registry.stop()
  }
}
