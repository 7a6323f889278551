import SecchatCore
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What a peer has sent over one link, and comes after it has turned to another.
@Suite(.serialized) struct LateMessagesTests {
  /// Sends a message by hand; why it is not taken, nil where it is.
  @LoopActor private func refusal(of chat: Chat, on link: SealedLink) async throws -> Refuse.Reason? {
    link.deadline = .now + 60_000
    link.send(chat)
    link.flush()
    while true {
      let answer = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      switch answer {
      case .ack(let ack) where ack.id == chat.id: return nil
      case .refuse(let refuse) where refuse.id == chat.id: return refuse.reason
      default: continue
      }
    }
  }

  @Test @LoopActor func whatComesOverALinkThatWasLeftIsOutOfTurn() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let (old, new) = (try await mallory.dial(alice), try await mallory.dial(alice))
    #expect(await mallory.isTaken(new))
    let one = try await mallory.chat("one", on: old)
    #expect(try await refusal(of: one, on: old) == nil)
    #expect(try await refusal(of: mallory.chat("two", on: new), on: new) == nil)

    let third = try await mallory.chat("three", on: old)
    let late = Chat(id: third.id, first: false, envelope: third.envelope)
    #expect(try await refusal(of: late, on: old) == .outOfTurn)
    // What is known is confirmed, and opens nothing.
    #expect(try await refusal(of: one, on: old) == nil)
    #expect(try await refusal(of: late, on: old) == .outOfTurn)
    #expect(alice.texts == ["one", "two"])
    // The link that it has turned to goes on, and so does the old one where it turns back.
    #expect(try await refusal(of: late, on: new) == nil)
    #expect(try await refusal(of: mallory.chat("four", on: old), on: old) == nil)
    #expect(alice.texts == ["one", "two", "three", "four"])

    for link in [old, new] { link.abort() }
    await alice.node.close()
    registry.stop()
  }
}
