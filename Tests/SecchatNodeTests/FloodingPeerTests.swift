import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// A peer that sends as much as it may, of what it may, beside one that sends a message now and then.
@Suite(.serialized) struct FloodingPeerTests {
  enum Kind: CaseIterable {
    /// Each is answered, so that what the node has handled can be counted.
    case messages, offers, inquiries, pings
    /// Nothing answers these.
    case grants, confirmations
  }

  /// Floods a link, and counts what comes back.
  @LoopActor private final class Flooder {
    let link: SealedLink
    private(set) var answers = 0
    private(set) var sent = 0
    /// The first grant has come with the prekeys.
    private var granted = SecchatCore.Limits.chatCredit
    private var chats: UInt64
    private var stream: UInt32 = 1
    /// A few messages, again and again: to open a new one is dearer for the node than it is for the flooder.
    private let messages: [Chat]

    /// - Parameter messages: that have come once.
    init(_ link: SealedLink, _ kind: Kind, messages: [Chat]) {
      self.link = link
      chats = UInt64(messages.count)
      self.messages = messages
      Loop.spawn { await self.read() }
      Loop.spawn { await self.write(kind) }
    }

    private func read() async {
      do throws(LinkError) {
        while true {
          let message = try await link.receive { (type, body) throws(WireError) in
            try PeerMessage(type: type, body: body)
          }
          switch message {
          case .ready(let ready): granted = ready.limit
          default: answers += 1
          }
        }
      } catch {}
    }

    private func write(_ kind: Kind) async {
      do throws(LinkError) {
        while true {
          for _ in 0..<256 { say(kind) }
          try await link.drain(below: 64 << 10)
          // Where there is no credit nothing was written.
          await Task.yield()
        }
      } catch {}
    }

    private func say(_ kind: Kind) {
      switch kind {
      case .messages:
        guard chats < granted else { return }
        chats += 1
        link.send(messages[Int(chats) % messages.count])
      case .offers:
        link.send(Offer(stream: stream, id: Random.bytes(), items: 1, entries: 1, bytes: 1, name: "flood"))
        stream += 2
      case .inquiries: link.send(Inquire())
      case .pings: link.send(Ping())
      case .grants: link.send(Ready(stream: 0, limit: UInt64(sent)))
      case .confirmations: link.send(Ack(id: Random.bytes()))
      }
      sent += 1
    }
  }

  @Test(arguments: Kind.allCases) @LoopActor func aPolitePeerIsAnswered(kind: Kind) async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let carol = try Stranger("carol", at: registry)
    try await alice.node.save { $0.files = .never }
    let polite = try await carol.dial(alice)
    try await carol.say("hello", on: polite)
    let flooded = try await mallory.dial(alice)
    var messages: [Chat] = []
    for number in 0..<64 {
      messages.append(try await mallory.chat("flood \(number)", on: flooded))
      try await mallory.deliver(messages[number], on: flooded)
    }
    let flooder = Flooder(flooded, kind, messages: messages)
    #expect(await eventually { flooder.sent > 2_000 })
    var most = 0
    let before = flooder.sent
    for number in 0..<20 {
      let answers = flooder.answers
      try await carol.say("\(number)", on: polite)
      most = max(most, flooder.answers - answers)
    }
    #expect(flooder.sent > before + 1_000, "the flood went on")
    // A few turns of the loop, each with at most eight rounds of 64 frames, and a flush of the disk, during which the
    // flood is answered too.
    #expect(most < 32_768, "so many frames came before one message's turn")
    if kind == .messages || kind == .offers { #expect(most > 10, "nothing was handled meanwhile") }
    #expect(!flooder.link.isClosed)
    flooder.link.abort()
    polite.close()
    #expect(await eventually { alice.node.sessions.isEmpty })
    await alice.node.close()
    registry.stop()
  }
}
