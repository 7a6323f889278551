import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// The ids of messages are their senders' to choose: a program may answer a message under its own id, so that it answers
/// once, however often it is started.
@Suite struct AnswerTests {
  @Test @LoopActor func underTheSameID() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    registry.enrol(try alice.node.ownList(), at: alice.node.listener?.address.flatMap { NetworkAddress($0) })
    registry.enrol(try bob.node.ownList(), at: bob.node.listener?.address.flatMap { NetworkAddress($0) })
    let id = Hex.encode(randomBytes(16))
    func chat(_ node: NodeAtWork, _ user: String, _ text: String) async -> [String?] {
      let outcome = await node.ask(.chat(user: user, id: id, text: text, timeout: 60))
      #expect(outcome.status == .done)
      return outcome.events.map { if case .sent(let sent) = $0 { sent.state } else { nil } }
    }
    #expect(await chat(alice, "bob", "who are you?").last == "delivered")
    #expect(await chat(bob, "alice", "bob").last == "delivered")
    #expect(await chat(bob, "alice", "bob").last == "delivered")
    #expect(bob.texts == ["who are you?"] && alice.texts == ["bob"])
    // Seen by a person there: it is the answer that was read, not what was answered.
    #expect(await alice.ask(.seen(user: "bob", ids: [id])).status == .done)
    try #require(
      await eventually {
        bob.events.contains { if case .sent(let sent) = $0 { sent.state == "read" } else { false } }
      })
    #expect(!alice.events.contains { if case .sent(let sent) = $0 { sent.state == "read" } else { false } })
    for node in [alice, bob] { await node.node.close() }
    registry.stop()
  }
}
