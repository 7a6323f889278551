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
    #expect(await alice.ask(.deleteHistory(user: "bob")).status != .done)
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
    link.abort()
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
