import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// A registry that lies in each of its answers (docs/protocol.md, section 6): an honest error, and nothing else comes of
/// it. Lies about keys are in LyingRegistryTests, KnownPeersTests and FalseAnswerTests; those in LOGGED_IN and ALIVE in
/// RegistryClientTests.
@Suite(.serialized) struct RegistryAnswerTests {
  /// Alice, who is online, and bob, who has an account.
  @LoopActor private static func online() async throws -> (LyingRegistry, NodeAtWork, Stranger) {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    return (registry, alice, try Stranger("bob", at: registry))
  }

  /// Every answer there is, for the request of that number.
  @LoopActor private static func answers(_ number: UInt32, _ list: SignedDeviceList) -> [any WireMessage] {
    [
      Registered(request: number, already: false),
      LoggedIn(request: number, address: NetworkAddress(unspecified: ()), life: 1, heartbeat: 1),
      Listed(request: number, more: false, entries: []),
      Found(request: number, address: nil, list: list.encoded), Alive(request: number, life: 1),
      LoggedOut(request: number), Watching(request: number),
    ]
  }

  /// The number of a request that the user asked for.
  private static func number(_ request: RegistryRequest) -> UInt32? {
    switch request {
    case .list(let message): message.request
    case .lookup(let message): message.request
    case .register(let message): message.request
    case .login, .heartbeat, .logout, .watch, .publish, .fetch: nil
    }
  }

  /// What the user asks for, each by one request.
  @LoopActor private static func requests(_ registry: LyingRegistry) -> [(answeredBy: FrameType, Request)] {
    let chat = Request.chat(user: "bob", id: String(repeating: "0", count: 32), text: "hello", timeout: 5)
    let user = "alice@127.0.0.1:\(registry.port)"
    return [
      (.listed, .list), (.found, .lookup(user: "bob")), (.found, chat),
      (.found, .verify(user: "bob", number: nil)),
      (.registered, .register(user: user, registryKey: registry.keyText)),
    ]
  }

  @Test @LoopActor func anAnswerOfAnotherKind() async throws {
    let (registry, alice, bob) = try await Self.online()
    let before = alice.remains
    for index in Self.answers(0, bob.list).indices {
      registry.lie { _, request in Self.number(request).map { Self.answers($0, bob.list)[index] } }
      for (answer, request) in Self.requests(registry)
      where type(of: Self.answers(0, bob.list)[index]).type != answer {
        #expect(await alice.ask(request).status == .internal, "\(request), answer \(index)")
      }
    }
    registry.lie { _, _ in nil }
    #expect(alice.remains == before && alice.node.client?.isOnline == true)
    #expect(await alice.ask(.list).status == .done)
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func everyFailureOfEveryRequest() async throws {
    let (registry, alice, _) = try await Self.online()
    let before = alice.remains
    for reason in Failure.Reason.allCases {
      registry.lie { _, request in
        Self.number(request).map { Failure(request: $0, reason: reason, wait: .max) }
      }
      let status: SecchatNode.ExitStatus =
        switch reason {
        case .badRequest: .internal
        case .loginFailed, .notLoggedIn: .authentication
        case .nameTaken, .unknownName: .usage
        case .rateLimited, .tooMany: .rateLimited
        case .unavailable: .unreachable
        case .noPrekeys: .peerOffline
        }
      for (_, request) in Self.requests(registry) {
        let (ended, events) = await alice.ask(request)
        #expect(ended == status, "\(request), \(reason)")
        guard case .error(let error)? = events.last else {
          Issue.record("\(request), \(reason): no error")
          continue
        }
        #expect(error.code == status && !error.message.isEmpty)
      }
    }
    registry.lie { _, _ in nil }
    #expect(alice.remains == before && alice.node.client?.isOnline == true)
    #expect(await alice.ask(.list).status == .done)
    await alice.node.close()
    registry.stop()
  }

  /// Answers to other requests, to those of the future and to none, and presence of people nobody watches.
  @Test @LoopActor func whatNobodyAskedForIsDropped() async throws {
    let (registry, alice, bob) = try await Self.online()
    let mallory = try Stranger("mallory", at: registry)
    let link = try await bob.dial(alice)
    try await bob.say("hello", on: link)
    let before = alice.remains
    let presence = Presence(name: mallory.account.name, address: NetworkAddress(unspecified: ()))
    registry.unasked = { request in
      guard let number = Self.number(request) else { return [] }
      let others = [0, number &- 1, number + 1, number + 2, .max].flatMap {
        Self.answers($0, mallory.list) + [Failure(request: $0, reason: .badRequest), presence]
      }
      return Array(repeating: others, count: 50).flatMap { $0 }
    }
    for _ in 0..<3 {
      #expect(await alice.ask(.list).status == .done)
      let (status, events) = await alice.ask(.lookup(user: "bob"))
      #expect(status == .done)
      let key = KeyText.encode(bob.list.list.identity)
      #expect(events.contains { if case .peer(let peer) = $0 { peer.key == key } else { false } })
    }
    #expect(alice.remains == before)
    // Of somebody who is watched the user hears changes, and not how often they are told.
    let word = Presence(name: bob.account.name, address: NetworkAddress(unspecified: ()))
    registry.unasked = { _ in Array(repeating: word, count: 1_000) }
    #expect(await alice.ask(.list).status == .done)
    #expect(alice.remains.events == before.events + 1)
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  // MARK: LISTED

  @LoopActor private static func entries(_ names: [String], _ identity: IdentityPublicKey) throws
    -> [Listed.Entry]
  {
    try names.map {
      Listed.Entry(
        name: try #require(UserName($0)), identity: identity, address: NetworkAddress(unspecified: ()))
    }
  }

  @Test @LoopActor func listsThatAreNone() async throws {
    let (registry, alice, bob) = try await Self.online()
    func pages(_ pages: [[String]], _ status: SecchatNode.ExitStatus) async throws {
      var rest = try pages.map { try Self.entries($0, bob.list.list.identity) }
      registry.lie { _, request in
        guard case .list(let list) = request, !rest.isEmpty else { return nil }
        let page = rest.removeFirst()
        return Listed(request: list.request, more: !rest.isEmpty, entries: page)
      }
      let (ended, events) = await alice.ask(.list)
      #expect(ended == status, "\(pages)")
      let peers = events.count { if case .peer = $0 { true } else { false } }
      #expect(peers == (status == .done ? pages.joined().count : 0), "\(pages)")
    }
    try await pages([["ann", "bob"], ["carol"]], .done)
    try await pages([[]], .done)
    try await pages([["bob", "ann"]], .internal)
    try await pages([["ann", "ann"]], .internal)
    try await pages([["ann", "bob"], ["bob"]], .internal)
    try await pages([["ann", "carol"], ["bob"]], .internal)
    try await pages([["ann"], []], .done)
    try await pages([["ann"], [], ["bob"]], .internal)
    await alice.node.close()
    registry.stop()
  }

  @Test @LoopActor func aListLongerThanAnyIs() async throws {
    let (registry, alice, bob) = try await Self.online()
    var next = 0
    registry.lie { _, request in
      guard case .list(let list) = request else { return nil }
      let names = (next..<next + 700).map { "\(1_000_000 + $0)" }
      next += names.count
      let entries = try? Self.entries(names, bob.list.list.identity)
      return Listed(request: list.request, more: true, entries: entries ?? [])
    }
    #expect(await alice.ask(.list).status == .internal)
    #expect((100_000...101_000).contains(next))
    await alice.node.close()
    registry.stop()
  }

  // MARK: FOUND

  /// Wherever the registry sends the node to, the user hears that the peer is not reached there.
  @Test @LoopActor func addressesWhereNobodyIs() async throws {
    let (registry, alice, bob) = try await Self.online()
    let own = try #require(alice.node.listener?.address)
    let v6: [UInt8] = [UInt8](repeating: 0, count: 15)
    let addresses = [
      NetworkAddress(own), NetworkAddress(bytes: [127, 0, 0, 1], port: registry.port),
      NetworkAddress(bytes: [127, 0, 0, 1], port: 0), NetworkAddress(bytes: [0, 0, 0, 0], port: own.port),
      NetworkAddress(bytes: [255, 255, 255, 255], port: own.port), NetworkAddress(bytes: v6 + [0], port: 1),
      NetworkAddress(bytes: v6 + [1], port: 1),
    ]
    for address in addresses {
      registry.enrol(bob.list, at: address)
      let (status, error) = await alice.chat("bob")
      #expect(status == .peerOffline && error?.hasPrefix("bob cannot be reached") == true, "\(error ?? "")")
      // What waits for him is for the key that the registry has named.
      #expect(alice.node.contacts.all.map(\.pinned) == [bob.list] && alice.texts.isEmpty)
    }
    #expect(await alice.ask(.outbox).events.count == addresses.count)
    await alice.node.close()
    registry.stop()
  }

  // MARK: What is no answer

  private struct Bare: WireMessage {
    static let type = FrameType.alive
    init() {}
    init(body: inout WireReader) throws(WireError) {}
    func encodeBody(into writer: inout WireWriter) {}
  }

  /// A frame that no registry sends ends the link; the node tries again by itself.
  @Test @LoopActor func aFrameThatIsNoAnswerEndsTheLink() async throws {
    let (registry, alice, bob) = try await Self.online()
    let frames: [any WireMessage] = [
      Bare(), Heartbeat(request: 1), Chat.unreadable(),
      Ready(stream: 0, limit: 1), Login(request: 1, name: bob.account.name, device: 1, port: 1),
    ]
    for (count, frame) in frames.enumerated() {
      registry.unasked = { request in Self.number(request) == nil ? [] : [frame] }
      #expect(await alice.ask(.lookup(user: "bob")).status == .unreachable)
      #expect(await eventually { alice.node.client?.isOnline == true && registry.logins == count + 2 })
    }
    registry.unasked = nil
    #expect(await alice.ask(.lookup(user: "bob")).status == .done)
    #expect(alice.texts.isEmpty && alice.node.contacts.all.isEmpty)
    await alice.node.close()
    registry.stop()
  }

  @Test(.long) @LoopActor func aRegistryThatAnswersNothing() async throws {
    let (registry, alice, _) = try await Self.online()
    registry.lie { _, request in Self.number(request).map { Alive(request: $0 &+ 1_000, life: 1) } }
    #expect(await alice.ask(.list).status == .unreachable)
    registry.lie { _, _ in nil }
    #expect(await alice.ask(.list).status == .done)
    await alice.node.close()
    registry.stop()
  }
}
