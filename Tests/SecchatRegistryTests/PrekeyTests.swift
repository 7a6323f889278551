import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

/// PUBLISH and FETCH over real links (docs/protocol.md, sections 6.10 and 6.11). What the store decides is in
/// `PrekeyConformance`.
@Suite struct PrekeyTests {
  /// Bob is online with those prekeys.
  @LoopActor private static func bob(
    _ ids: ClosedRange<UInt32>, at registry: TestRegistry
  ) async throws -> (User, Client, [OneTimePrekey]) {
    let bob = try User("bob")
    let client = try await registry.online(bob)
    let keys = oneTimePrekeys(ids)
    let published = try await client.publish(signed: bob.signedPrekey(at: registry.key), keys: keys).published
    #expect(published?.signed == 1 && published?.left == UInt16(keys.count))
    return (bob, client, keys)
  }

  @Test func whatOnePublishesAnotherFetches() async throws {
    try await withRegistry { registry in
      let bob = try User("bob")
      let owner = try await registry.online(bob)
      let ann = try await registry.online(User("ann"))
      #expect(try await ann.fetch(bob).failure == .noPrekeys)
      let signed = bob.signedPrekey(at: registry.key)
      let keys = oneTimePrekeys(1...100)
      let published = try #require(try await owner.publish(signed: signed, keys: keys).published)
      #expect(published.signed == 1 && published.left == 100)
      let offer = try #require(try await ann.fetch(bob).offer)
      #expect(offer == PrekeyOffer(signed: signed, oneTime: keys[0]))
      // It is what a client can check.
      let list = try bob.list(at: registry.key).list
      let bundle = try PrekeyBundle(verifying: offer, of: 1, on: list, now: 1_700_000_000)
      #expect(bundle.oneTime == keys[0])
      #expect(try await owner.publish().published?.left == 99)
    }
  }

  @Test func withoutASessionNeitherIsAnswered() async throws {
    try await withRegistry { registry in
      let (bob, _, _) = try await Self.bob(1...2, at: registry)
      let ann = try User("ann")
      _ = try await registry.store.claim(ann.account(at: registry.key))
      let client = try await registry.client(of: ann)
      #expect(try await client.publish().failure == .notLoggedIn)
      #expect(try await client.publish(signed: ann.signedPrekey(at: registry.key)).failure == .notLoggedIn)
      #expect(try await client.fetch(bob).failure == .notLoggedIn)
      #expect(try await client.logIn(ann).loggedIn != nil)
      #expect(try await client.fetch(bob).offer?.oneTime?.id == 1)
      #expect(try await client.logOut().loggedOut != nil)
      #expect(try await client.fetch(bob).failure == .notLoggedIn)
    }
  }

  @Test func whoIsNotThereIsTold() async throws {
    try await withRegistry { registry in
      let (bob, _, _) = try await Self.bob(1...2, at: registry)
      let ann = try await registry.online(User("ann"))
      #expect(try await ann.fetch(User("nobody")).failure == .unknownName)
      for device: UInt32 in [0, 2, .max] {
        #expect(try await ann.fetch(bob, device: device).failure == .noPrekeys)
      }
    }
  }

  @Test func onlyTheSessionsOwnDeviceMayHaveSignedIt() async throws {
    try await withRegistry { registry in
      let (bob, owner, _) = try await Self.bob(1...2, at: registry)
      let eve = try User("eve")
      let client = try await registry.online(eve)
      // Eve's session cannot say that it publishes for bob; what bob signed is no use in it.
      let bobs = bob.signedPrekey(at: registry.key, id: 7)
      #expect(try await client.publish(signed: bobs).failure == .badRequest)
      let forged = SignedPrekey(
        signing: SignedPrekeyKey(Random.bytes()), id: 7, expires: 1 << 33,
        for: Account(name: bob.name, registry: registry.key), device: 1, with: eve.secret.signing)
      #expect(try await client.publish(signed: forged).failure == .badRequest)
      #expect(try await owner.publish(signed: forged).failure == .badRequest)
      // For another device of his own.
      let second = SignedPrekey(
        signing: SignedPrekeyKey(Random.bytes()), id: 7, expires: 1 << 33,
        for: Account(name: bob.name, registry: registry.key), device: 2, with: bob.secret.signing)
      #expect(try await owner.publish(signed: second).failure == .badRequest)
      #expect(try await owner.publish(replace: true, signed: forged).failure == .badRequest)
      let offer = try await client.fetch(bob).offer
      #expect(offer?.signed.id == 1 && offer?.oneTime?.id == 1, "nothing was changed")
    }
  }

  @Test func aHundredAndNoMore() async throws {
    try await withRegistry { registry in
      let (_, owner, keys) = try await Self.bob(1...100, at: registry)
      #expect(try await owner.publish(keys: oneTimePrekeys(101...101)).failure == .tooMany)
      #expect(try await owner.publish(keys: keys).published?.left == 100, "the same ones again")
      #expect(try await owner.publish(keys: oneTimePrekeys(100...100)).failure == .badRequest)
      let more = try await owner.publish(used: [1], keys: oneTimePrekeys(101...101)).published
      #expect(more?.left == 100)
      // Counts over the bound, before anything of them is read, end the link.
      let ids = [UInt32](1...101)
      owner.link.send(Publish(request: 1, used: ids))
      #expect(await owner.ending() != nil)
    }
  }

  @Test func whoAsksAgainGetsTheSameOneForAnHour() async throws {
    let clock = TestClock()
    try await withRegistry(configure: { $0.clock = { clock.now } }) { registry in
      let (bob, owner, keys) = try await Self.bob(1...50, at: registry)
      let ann = try User("ann")
      let (one, two) = (try await registry.online(ann), try await registry.online(ann, port: 0))
      #expect(try await one.fetch(bob).offer?.oneTime == keys[0])
      #expect(try await two.fetch(bob).offer?.oneTime == keys[0])
      clock.advance(by: 3_599)
      #expect(try await one.fetch(bob).offer?.oneTime == keys[0])
      clock.advance(by: 1)
      #expect(try await one.fetch(bob).offer?.oneTime == keys[1])
      #expect(try await owner.publish(used: [2]).published?.left == 48)
      #expect(try await two.fetch(bob).offer?.oneTime == keys[2])
    }
  }

  @Test func aResetBringsAnotherToWhomItIsDue() async throws {
    try await withRegistry { registry in
      let (bob, _, keys) = try await Self.bob(1...50, at: registry)
      let (ann, eve) = (try User("ann"), try User("eve"))
      let (client, hers) = (try await registry.online(ann), try await registry.online(eve))
      #expect(try await client.fetch(bob).offer?.oneTime == keys[0])
      #expect(try await hers.fetch(bob).offer?.oneTime == keys[1])
      func refused(_ reset: Fetch.Reset, over client: Client) async throws {
        #expect(try await client.fetch(bob, reset: reset).failure == .badRequest)
      }
      // What was another's, nobody's, or never there; another link's, another device's or account's, another's hand.
      for failed: UInt32 in [2, 3, 99] {
        try await refused(client.reset(failed, of: bob, by: ann, at: registry.key), over: client)
      }
      try await refused(hers.reset(1, of: bob, by: ann, at: registry.key), over: client)
      try await refused(client.reset(1, of: bob, by: ann, device: 2, at: registry.key), over: client)
      try await refused(client.reset(1, of: eve, by: ann, at: registry.key), over: client)
      try await refused(client.reset(1, of: bob, by: eve, at: registry.key), over: client)
      let good = client.reset(1, of: bob, by: ann, at: registry.key)
      try await refused(Fetch.Reset(failed: 2, signature: good.signature), over: client)
      try await refused(good, over: hers)
      #expect(try await client.fetch(bob).offer?.oneTime == keys[0], "none of them did anything")
      #expect(try await client.fetch(bob, reset: good).offer?.oneTime == keys[2])
      #expect(try await client.fetch(bob, reset: good).offer?.oneTime == keys[2], "sent again")
      #expect(try await client.fetch(bob).offer?.oneTime == keys[2])
      #expect(try await hers.fetch(bob).offer?.oneTime == keys[1])
    }
  }

  @Test func anOwnerHearsThatItsStockRunsLow() async throws {
    try await withRegistry { registry in
      let (bob, owner, _) = try await Self.bob(1...22, at: registry)
      let beside = try await registry.client(of: bob)
      #expect(try await beside.logIn(bob, port: 0).loggedIn != nil)
      for index in 0..<4 {
        let client = try await registry.online(User("user-\(index)"))
        #expect(try await client.fetch(bob).offer?.oneTime != nil)
        // Asking again hands nothing out, and tells nothing.
        #expect(try await client.fetch(bob).offer?.oneTime != nil)
        #expect(try await client.heartbeat().alive != nil)
        #expect(client.stocks.isEmpty)
      }
      #expect(try await owner.heartbeat().alive != nil)
      #expect(try await beside.heartbeat().alive != nil)
      #expect(owner.stocks == [19, 18] && beside.stocks == [19, 18])
    }
  }

  @Test func aPublishingFloodIsBounded() async throws {
    try await withRegistry(configure: { $0.publishes = Rate(5, per: 3_600_000) }) { registry in
      let (bob, owner, _) = try await Self.bob(1...2, at: registry)
      for _ in 0..<4 { #expect(try await owner.publish(replace: true).published != nil) }
      #expect(try await owner.publish().failure == .rateLimited)
      let ann = try await registry.online(User("ann"))
      #expect(try await ann.publish().published != nil, "of others nothing is kept")
      #expect(try await ann.fetch(bob).failure == .noPrekeys)
    }
  }

  @Test func fetchesCountAsLookUps() async throws {
    try await withRegistry(configure: { $0.lookups = Rate(5, per: 3_600_000) }) { registry in
      let (bob, _, keys) = try await Self.bob(1...2, at: registry)
      let ann = try await registry.online(User("ann"))
      for _ in 0..<5 { #expect(try await ann.fetch(bob).offer?.oneTime == keys[0]) }
      #expect(try await ann.fetch(bob).failure == .rateLimited)
      #expect(try await ann.lookUp(bob.name).failure == .rateLimited)
    }
  }

  @Test func aNewSigningKeyEndsTheOldPrekeys() async throws {
    try await withRegistry { registry in
      let (bob, owner, _) = try await Self.bob(1...9, at: registry)
      let ann = try await registry.online(User("ann"))
      #expect(try await ann.fetch(bob).offer?.oneTime?.id == 1)
      let first = try bob.list(at: registry.key)
      let old = first.list.devices[0]
      let device = Device(
        id: 1, link: old.link, messaging: old.messaging, signing: try User("new").secret.signing.publicKey,
        created: old.created)
      let second = try bob.list(after: first, devices: [device])
      #expect(try await owner.register(second, by: bob).registered != nil)
      #expect(try await ann.fetch(bob).failure == .noPrekeys)
      // The session goes on by the link key; the old signing key signs no more.
      #expect(try await owner.publish(signed: bob.signedPrekey(at: registry.key)).failure == .badRequest)
      // Nor is a RESET by it taken.
      let (eve, keys) = (try User("eve"), oneTimePrekeys(1...2))
      let other = try await registry.online(eve)
      #expect(
        try await other.publish(signed: eve.signedPrekey(at: registry.key), keys: keys).published != nil)
      #expect(try await owner.fetch(eve).offer?.oneTime == keys[0])
      let reset = owner.reset(1, of: eve, by: bob, at: registry.key)
      #expect(try await owner.fetch(eve, reset: reset).failure == .badRequest)
    }
  }
}
