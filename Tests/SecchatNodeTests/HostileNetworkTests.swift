import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Two honest nodes, and somebody on the path between them: nothing of what he does makes anything happen but an error.
/// Every byte and every cut are tried one layer below, over bare links: HandshakeTests, FrameTests.
@Suite(.serialized) struct HostileNetworkTests {
  /// Alice and bob, whom she reaches over a path.
  @LoopActor private final class Trio {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let bob: NodeAtWork
    let path: HostilePath

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      bob = try await NodeAtWork("bob", at: registry)
      try await bob.node.save { $0.files = .always }
      path = try HostilePath(to: try #require(bob.node.listener?.address))
      registry.enrol(try bob.node.ownList(), at: path.address)
    }

    /// Lets go of every connection and every attempt at one, and of how many strangers have come.
    func clear() async throws {
      breakOff()
      try #require(
        await eventually { [alice, bob].allSatisfy { $0.node.dials.isEmpty && $0.node.sessions.isEmpty } })
    }

    /// Ends every connection; who has something to say dials anew.
    func breakOff() {
      path.hangUp()
      bob.node.strangers = StrangerAllowance()
      for node in [alice.node, bob.node] { node.sessions.close(.done) }
    }

    func close() async {
      path.close()
      await alice.node.close()
      await bob.node.close()
      registry.stop()
    }

    var inbox: String { bob.node.downloads + "/alice" }

    /// What is there under its name, whatever is kept to go on with.
    var arrived: [String] { listing(inbox).filter { !$0.hasPrefix(".secchat-") } }

    func cancelTransfers() async {
      for case .transfer(let transfer) in await alice.ask(.transfers).events {
        await alice.ask(.transfer(id: transfer.id, action: .cancel))
      }
    }

    func send(_ paths: String...) async -> SecchatNode.ExitStatus {
      await alice.ask(.send(user: "bob", paths: paths, limitRate: nil, checksum: true)).status
    }
  }

  private typealias Case = (side: HostilePath.Side, number: Int, harms: [HostilePath.Harm])

  /// Harms after which the message is not there, in the order of what the two have learnt by then.
  private static let beforeTheMessage: [Case] = [
    (.dialler, 0, [.flip(0), .drop, .cut(0)]),
    (.dialler, 1, [.flip(0), .flip(1), .flip(2), .flip(33), .flip(-1), .drop, .cut(0), .cut(49)]),
    (.dialled, 0, [.flip(0), .flip(2), .flip(34), .flip(-1), .drop, .cut(1), .cut(100)]),
    (.dialler, 1, [.replay]), (.dialled, 0, [.replay]),
    (.dialler, 2, [.flip(0), .flip(2), .flip(60), .flip(-1), .drop, .replay, .swap, .cut(60)]),
    (.dialler, 3, [.flip(-1), .drop, .replay, .swap, .cut(3)]),
    (.dialled, 1, [.flip(2), .flip(-1), .drop, .cut(5)]),
    (.dialler, 4, [.flip(0), .flip(1), .flip(2), .flip(200), .flip(-1), .drop, .swap, .cut(0), .cut(290)]),
  ]
  @Test @LoopActor func nothingComesOfAHarmedMessage() async throws {
    let trio = try await Trio()
    let (alice, bob) = (trio.alice, trio.bob)
    var arrived = 0
    for (side, number, harms) in Self.beforeTheMessage {
      for harm in harms {
        trio.path.tamper = HostilePath.harming(side, number, harm)
        let (status, error) = await alice.chat("bob", timeout: 0.3)
        let place = "\(side) \(number), \(harm): \(error ?? "")"
        #expect(status == .peerOffline && error?.isEmpty == false, "\(place)")
        #expect(bob.texts.count == arrived, "\(place)")
        // It waits, and goes out by itself once the path is honest: once.
        trio.path.tamper = HostilePath.honest
        trio.breakOff()
        arrived += 1
        #expect(await eventually { bob.texts.count == arrived && alice.waiting == 0 }, "\(place)")
        try await trio.clear()
      }
    }
    #expect(alice.events.allSatisfy { if case .keyChange = $0 { false } else { true } })
    #expect(alice.resets == 0 && bob.resets == 0)

    // What was shown is shown once, whether the confirmation comes through or not: it is never called delivered then.
    for (side, number, harm) in [
      (.dialled, 2, .flip(-1)), (.dialled, 2, .cut(7)), (.dialled, 2, .drop), (.dialler, 4, .replay),
    ] as [(HostilePath.Side, Int, HostilePath.Harm)] {
      trio.path.tamper = HostilePath.harming(side, number, harm)
      let (status, error) = await alice.chat("bob", timeout: 0.5)
      if harm != .replay { #expect(status == .peerOffline, "\(harm): \(error ?? "")") }
      trio.path.tamper = HostilePath.honest
      trio.breakOff()
      arrived += 1
      #expect(await eventually { bob.texts.count == arrived && alice.waiting == 0 }, "\(harm)")
      try await trio.clear()
    }
    #expect(await alice.chat("bob").status == .done)
    #expect(bob.texts.count == arrived + 1)
    for text in ["for your eyes", "alice", "bob"] { #expect(!trio.path.hasSeen(text), "\(text)") }
    await trio.close()
  }

  @Test @LoopActor func nothingComesOfAHarmedFile() async throws {
    let trio = try await Trio()
    let folder = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(200_000)
    let file = try folder.write("a-name-to-find", bytes)
    // OFFER, ENTRY, four CHUNKs, END; ACCEPT and READY the other way.
    let cases: [Case] = [
      (.dialler, 4, [.flip(-1), .replay, .cut(5)]),
      (.dialled, 2, [.flip(-1), .drop, .swap, .cut(10)]),
      (.dialler, 5, [.flip(-1), .drop, .replay, .swap, .cut(1)]),
      (
        .dialler, 7,
        [.flip(0), .flip(2), .flip(30_000), .flip(-1), .drop, .replay, .swap, .cut(0), .cut(9_999)]
      ),
      (.dialler, 10, [.flip(2), .flip(-1), .cut(0), .cut(20)]),
    ]
    for (side, number, harms) in cases {
      for harm in harms {
        trio.path.tamper = HostilePath.harming(side, number, harm)
        let status = await trio.send(file)
        #expect(status == .peerOffline, "\(side) \(number), \(harm)")
        // Or it would go on from what had come before the harm, in other frames.
        await trio.cancelTransfers()
        try await trio.clear()
        #expect(trio.arrived.isEmpty, "\(side) \(number), \(harm)")
      }
    }
    func arrived() -> Int { trio.bob.events.count { if case .file = $0 { true } else { false } } }
    #expect(arrived() == 0)
    // All of it has arrived and the confirmation has not: it is there, and nobody says that it is known to be.
    trio.path.tamper = HostilePath.harming(.dialled, 4, .flip(-1))
    #expect(await trio.send(file) == .peerOffline)
    try await trio.clear()
    #expect(trio.arrived == ["a-name-to-find"] && arrived() == 1)
    trio.path.tamper = HostilePath.honest
    // The same command again learns that it is.
    #expect(await trio.send(file) == .done)
    #expect(trio.arrived == ["a-name-to-find"] && arrived() == 1)
    #expect(contents(trio.inbox + "/a-name-to-find") == bytes)
    #expect(!trio.path.hasSeen("a-name-to-find"))
    await trio.close()
  }

  @Test(arguments: [true, false]) @LoopActor func splitsAndDelaysLoseNothing(inSingleBytes: Bool) async throws
  {
    let trio = try await Trio()
    trio.path.tamper = { _, _, message in
      guard !inSingleBytes else { return message.map { .bytes([$0]) } }
      let place = Int.random(in: 0...message.count)
      return [.pause(3), .bytes(Array(message[..<place])), .pause(3), .bytes(Array(message[place...]))]
    }
    let folder = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(5_000)
    let file = try folder.write("file", bytes)
    for _ in 0..<2 {
      #expect(await trio.alice.chat("bob").status == .done)
      #expect(await trio.bob.chat("alice").status == .done)
    }
    #expect(await trio.send(file) == .done)
    #expect(trio.bob.texts.count == 2 && trio.alice.texts.count == 2)
    #expect(contents(trio.inbox + "/file") == bytes)
    await trio.close()
  }

  /// Every byte that the one has ever sent to the other, sent again: an answer to the first message, and nothing else.
  @Test @LoopActor func aRecordedConnectionRunsNoSecondTime() async throws {
    let trio = try await Trio()
    let folder = try TemporaryFolder(inMemory: true)
    let file = try folder.write("file", randomBytes(1_000))
    #expect(await trio.alice.chat("bob").status == .done)
    #expect(await trio.bob.chat("alice").status == .done)
    #expect(await trio.send(file) == .done)
    try await trio.clear()
    let recording = try #require(trio.path.recordings.first)
    let before = [trio.alice.remains, trio.bob.remains]
    for _ in 0..<2 {
      let stream = try await trio.bob.stream()
      stream.say(try #require(recording.bytes[.dialler]))
      #expect(await stream.countToEnd() == recording.answer)
    }
    // Who answers alice with what bob once answered.
    let listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
    let answers = try #require(recording.bytes[.dialled])
    Loop.spawn {
      while let stream = try? await listener.accept() {
        stream.say(answers)
        _ = await stream.countToEnd()
      }
    }
    trio.path.close()
    let address = listener.address.flatMap { NetworkAddress($0) }
    trio.registry.enrol(try trio.bob.node.ownList(), at: address)
    #expect(await trio.alice.chat("bob").status == .peerOffline)
    #expect([trio.alice.remains, trio.bob.remains] == before)
    #expect(await eventually { listing(trio.inbox) == ["file"] })
    listener.close()
    await trio.close()
  }
}
