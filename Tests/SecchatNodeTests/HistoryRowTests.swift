import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

/// What somebody can do to the history who can write the database and has no key: nothing is shown but as it came.
@Suite struct HistoryRowTests {
  /// What somebody has written into the database who has the file and not the keys.
  private struct Forgery {
    let database: Database

    /// A column of all rows of a table.
    func column(_ sql: StaticString) throws -> [(id: Int64, value: [UInt8])] {
      try database.query(sql) { (row) throws(SQLiteError) in (try row.integer(0), try row.blob(1)) }
    }

    /// Puts the value of each of two rows into the other.
    func swap(_ rows: [(id: Int64, value: [UInt8])], _ sql: StaticString) throws {
      for (row, other) in zip(rows, rows.reversed()) { try database.run(sql, other.value, row.id) }
    }

    func restore(_ rows: [(id: Int64, value: [UInt8])], _ sql: StaticString) throws {
      for row in rows { try database.run(sql, row.value, row.id) }
    }
  }

  /// Alice's profile, to which bob has written twice and carol once.
  @LoopActor private static func written() async throws -> (LyingRegistry, NodeAtWork, Forgery) {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    for (name, texts) in [("bob", ["from bob", "again from bob"]), ("carol", ["from carol"])] {
      let stranger = try Stranger(name, at: registry)
      let link = try await stranger.dial(alice)
      for text in texts { try await stranger.say(text, on: link) }
      link.close()
    }
    #expect(
      await shown(alice) == Shown(status: .done, texts: ["from bob", "again from bob", "from carol"]))
    return (registry, alice, Forgery(database: try Database(path: alice.node.folder.databasePath)))
  }

  /// What the history shows.
  @LoopActor private static func shown(_ alice: NodeAtWork) async -> Shown {
    let (status, events) = await alice.ask(.history(user: nil, search: nil, since: nil, limit: nil))
    let texts = events.compactMap { event -> String? in
      guard case .message(let message) = event else { return nil }
      #expect(message.text.hasSuffix(message.from))
      return message.text
    }
    return Shown(status: status, texts: texts)
  }

  private struct Shown: Equatable {
    let status: SecchatNode.ExitStatus
    let texts: [String]
  }

  /// How a profile that is closed opens; nil: well.
  @LoopActor private static func opens(_ alice: NodeAtWork) async -> SecchatNode.ExitStatus? {
    let node = alice.node
    do throws(NodeError) {
      let again = try await Node.open(node.folder, identity: node.identity, stays: false)
      await again.close()
      return nil
    } catch { return error.status }
  }

  /// Messages that have changed places in the database are damage, in one conversation as in two.
  @Test @LoopActor func messagesAreBoundToTheirRows() async throws {
    let (registry, alice, forgery) = try await Self.written()
    let rows = try forgery.column("SELECT id, body FROM messages ORDER BY id")
    #expect(rows.count == 3)
    for pair in [[rows[0], rows[1]], [rows[1], rows[2]]] {
      try forgery.swap(pair, "UPDATE messages SET body = ? WHERE id = ?")
      #expect(await Self.shown(alice) == Shown(status: .integrity, texts: []))
      try forgery.restore(pair, "UPDATE messages SET body = ? WHERE id = ?")
      #expect(await Self.shown(alice).status == .done)
    }
    // As if carol's were bob's.
    try forgery.database.run("UPDATE messages SET conversation = 1 WHERE id = ?", rows[2].id)
    #expect(await Self.shown(alice) == Shown(status: .integrity, texts: []))
    await alice.node.close()
    registry.stop()
  }

  /// So are conversations' keys, and whose they are: such a profile does not open.
  @Test @LoopActor func conversationsAreBoundToTheirRows() async throws {
    let (registry, alice, forgery) = try await Self.written()
    await alice.node.close()
    let keys = try forgery.column("SELECT id, key FROM conversations ORDER BY id")
    let bodies = try forgery.column("SELECT id, body FROM conversations ORDER BY id")
    #expect(keys.count == 2)
    #expect(await Self.opens(alice) == nil)
    try forgery.swap(keys, "UPDATE conversations SET key = ? WHERE id = ?")
    #expect(await Self.opens(alice) == .integrity)
    try forgery.restore(keys, "UPDATE conversations SET key = ? WHERE id = ?")
    #expect(await Self.opens(alice) == nil)
    try forgery.swap(bodies, "UPDATE conversations SET body = ? WHERE id = ?")
    #expect(await Self.opens(alice) == .integrity)
    registry.stop()
  }

  /// A message that came cannot be made one of alice's, to be shown or even sent as hers.
  @Test @LoopActor func whoseAMessageIsIsSealed() async throws {
    let (registry, alice, forgery) = try await Self.written()
    let row = try #require(try forgery.column("SELECT id, body FROM messages ORDER BY id").first)
    for state in [MessageState.delivered, .read, .refused, .queued] {
      try forgery.database.run("UPDATE messages SET state = ? WHERE id = ?", state.rawValue, row.id)
      #expect(await Self.shown(alice) == Shown(status: .integrity, texts: []), "\(state)")
    }
    await alice.node.close()
    #expect(await Self.opens(alice) == .integrity)
    try forgery.database.run(
      "UPDATE messages SET state = ? WHERE id = ?", MessageState.shown.rawValue, row.id)
    #expect(await Self.opens(alice) == nil)
    registry.stop()
  }
}
