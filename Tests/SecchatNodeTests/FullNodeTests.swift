import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// A node whose places are all taken.
@Suite(.serialized) struct FullNodeTests {
  /// Who is silent at an address keeps nobody out, not even there.
  @Test @LoopActor func silentConnectionsKeepNoPeerOut() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let place = try #require(alice.node.listener?.address)
    var silent: [ByteStream] = []
    for _ in 0..<200 { silent.append(try await ByteStream.connect(to: place, timeout: 60_000)) }
    let bob = try Stranger("bob", at: registry)
    let link = try await bob.dial(alice)
    #expect(await bob.isTaken(link))
    try await bob.say("hello", on: link)
    // All but the last few were shown out.
    for stream in silent[..<100] {
      let ending = await failure { () throws(NetError) in
        try await stream.fill(atLeast: 1, deadline: .now + 5_000)
      }
      #expect(ending == .closed || ending == .reset)
    }
    for stream in silent { stream.abort() }
    link.close()
    #expect(await eventually { alice.node.sessions.isEmpty })
    await alice.node.close()
    registry.stop()
  }

  /// A table full of links on each of which a transfer waits for its first byte: nobody else is let in until one of them
  /// goes; whom the user writes to is reached all the same.
  @Test @LoopActor func aFullTable() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let node = alice.node
    node.sessions.setRoomForTestingOnly(8)
    try await node.save { $0.files = .always }
    var links: [SealedLink] = []
    for number in 0..<4 {
      let contact = try Stranger("contact-\(number)", at: registry)
      let (account, list) = (contact.account, contact.list)
      try await node.contacts.update(account, pinned: list)
      for _ in 0..<2 {
        let link = try await contact.dial(alice)
        link.send(Offer(stream: 1, id: Random.bytes(), items: 1, entries: 1, bytes: 1, name: "x"))
        link.flush()
        link.deadline = .now + 60_000
        while try await link.receive({ (type, _) throws(WireError) in type }) != .accept {}
        links.append(link)
      }
    }
    let late = try Stranger("late", at: registry)
    let (lateAccount, lateList) = (late.account, late.list)
    try await node.contacts.update(lateAccount, pinned: lateList)
    let first = try await late.dial(alice)
    #expect(await !late.isTaken(first))
    #expect(links.allSatisfy { !$0.isClosed })

    let bob = try Stranger("bob", at: registry)
    let listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
    let place = try #require(listener.address)
    let address = try #require(NetworkAddress(place))
    registry.enrol(bob.list, at: address)
    Loop.spawn {
      guard let stream = try? await listener.accept(), let link = try? await bob.accept(stream) else {
        return
      }
      link.send(Ready(stream: 0, limit: 10))
      link.flush()
      try? await self.confirming(link, as: bob)
    }
    #expect(await alice.chat("bob").status == .done)

    // One for the place that the dialled link has taken, one for the newcomer.
    for link in links[2...3] { link.abort() }
    var second = try await late.dial(alice)
    while await !late.isTaken(second) { second = try await late.dial(alice) }
    try await late.say("in at last", on: second)
    #expect(alice.texts == ["in at last"])
    listener.close()
    node.sessions.close(.done)
    for link in links + [first, second] { link.abort() }
    #expect(await eventually { node.sessions.isEmpty })
    await node.close()
    registry.stop()
  }

  /// Confirms every message until the link ends.
  @LoopActor private func confirming(_ link: SealedLink, as bob: Stranger) async throws {
    while true {
      let message = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      if case .chat(let chat) = message { link.send(Ack(id: chat.id)) }
      if case .inquire = message { link.send(try bob.prekeys()) }
      link.flush()
    }
  }
}
