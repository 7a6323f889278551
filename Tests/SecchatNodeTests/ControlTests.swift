import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import Synchronization
import TestSupport
import Testing

@testable import SecchatNode

/// What programs ask for over the control socket: out of all bounds, more than it holds, or nothing.
@Suite struct ControlTests {
  @Test @LoopActor func timesAndLimitsOutOfBounds() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    _ = try Stranger("bob", at: registry)
    #expect(await alice.ask(.expire(user: "bob", seconds: .max)).status == .done)
    for since in [1e300, -1e300, Double.greatestFiniteMagnitude, -0.0] {
      for limit in [nil, -1, 0, Int.max] {
        let (status, events) = await alice.ask(.history(user: "bob", search: "", since: since, limit: limit))
        #expect(status == .done && events.isEmpty)
      }
    }
    await alice.node.close()
    registry.stop()
  }

  /// More than may wait for a guest of the control socket comes to it all the same, one part after the other.
  @Test(arguments: [nil, 2_900]) @LoopActor
  func aLongHistoryReachesWhoAsksForIt(limit: Int?) async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let link = try await bob.dial(alice)
    try await bob.say("the first", on: link)
    link.close()
    let conversation = try #require(alice.node.conversations.all.first)
    let (key, row) = (conversation.key, conversation.row)
    let text = String(repeating: "x", count: Limits.chatText)
    let rows = 3_000 as Int64
    try await alice.node.store.write { (database) throws(SQLiteError) in
      for id in 1_000..<1_000 + rows {
        let message = Message(id: Random.bytes(), sent: 1, body: .text(text))
        try database.run(
          "INSERT INTO messages (id, conversation, message, state, body) VALUES (?, ?, ?, ?, ?)", id, row,
          message.id.array, MessageState.shown.rawValue, key.seal(message, row: id, isOurs: false))
      }
    }
    let server = try ControlServer(alice.node)
    let client = ControlClient(path: try ControlPath.path(for: alice.node.folder))
    let count = Atomic(0)
    let bytes = Atomic(0)
    let status = await client.perform(.history(user: nil, search: nil, since: nil, limit: limit)) { event in
      if case .message(let message) = event {
        count.add(1, ordering: .relaxed)
        bytes.add(message.text.utf8.count, ordering: .relaxed)
      }
    }
    #expect(status == .done)
    #expect(count.load(ordering: .relaxed) == limit ?? 3_001)
    #expect(
      bytes.load(ordering: .relaxed) == (limit ?? 3_000) * Limits.chatText
        + (limit == nil ? "the first".utf8.count : 0))
    server.close()
    await alice.node.close()
    registry.stop()
  }

  /// Only a request that the node's end cut short is put to the next node; what failed is not tried again.
  @Test @LoopActor func aFailureOfTheNodeIsNotItsEnd() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let link = try await bob.dial(alice)
    try await bob.say("one", on: link)
    link.close()
    try await alice.node.store.write { (database) throws(SQLiteError) in
      // It grows no more.
      _ = try database.query("PRAGMA max_page_count = 1") { (row) throws(SQLiteError) in try row.integer(0) }
    }
    let server = try ControlServer(alice.node)
    let client = ControlClient(path: try ControlPath.path(for: alice.node.folder))
    let failures = Atomic(0)
    let text = String(repeating: "x", count: Limits.chatText)
    let request = Request.chat(user: "bob", id: Hex.encode(randomBytes(16)), text: text, timeout: 20)
    let status = await client.perform(request) { event in
      if case .error = event { failures.add(1, ordering: .relaxed) }
    }
    #expect(status == .internal && failures.load(ordering: .relaxed) == 1)
    server.close()
    #expect(await client.perform(.status) { _ in failures.add(1, ordering: .relaxed) } == nil)
    #expect(failures.load(ordering: .relaxed) == 1)
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func aNodeThatEndsLeavesItsGuestsToTheNext() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    _ = try Stranger("bob", at: registry)
    let server = try ControlServer(alice.node)
    let client = ControlClient(path: try ControlPath.path(for: alice.node.folder))
    let (isAsked, mayAnswer) = (OneShot<Void>(), OneShot<Void>())
    registry.beforeAnswer = { request in
      guard case .lookup = request else { return }
      isAsked.fulfil(())
      _ = try? await mayAnswer.wait()
    }
    let events = Atomic(0)
    async let status = client.perform(.lookup(user: "bob")) { _ in events.add(1, ordering: .relaxed) }
    try await isAsked.wait(deadline: .now + 60_000)
    let closing = Task { await alice.node.close() }
    #expect(await eventually { alice.node.isClosing })
    registry.hangUp()
    #expect(await status == nil && events.load(ordering: .relaxed) == 0)
    mayAnswer.fulfil(())
    await closing.value
    server.close()
    registry.stop()
  }

  @Test @LoopActor func aGuestThatSaysNothingIsNotWaitedFor() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let server = try ControlServer(alice.node, patience: 100)
    let path = try ControlPath.path(for: alice.node.folder)
    let guest = try await ByteStream.connect(unixPath: path, timeout: 60_000, inputCapacity: 1_024)
    // One that came after it has been served.
    _ = await ControlClient(path: path).perform(.status) { _ in }
    await server.waitForGuests()
    #expect(await ControlFrame.receive(from: guest, by: .now + 60_000) == nil)
    guest.close()
    server.close()
    await alice.node.close()
    registry.stop()
  }

  /// A peer says when its messages are to be forgotten; each sooner than the one before.
  @Test @LoopActor func oneSleeperWaitsForAllThatExpires() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let last = Clock.unixSeconds + 100_000
    alice.node.expires(at: last)
    for sooner in 1...50 as ClosedRange<UInt64> {
      let former = try #require(alice.node.expirySleeper)
      alice.node.expires(at: last - sooner)
      #expect(former.isCancelled)
    }
    let sleeper = try #require(alice.node.expirySleeper)
    alice.node.expires(at: last)
    #expect(!sleeper.isCancelled && alice.node.nextExpiry == last - 50)
    await alice.node.close()
    registry.stop()
  }
}
