import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

/// Attackers who would use up somebody's one-time prekeys, so that others must begin without one.
@Suite struct PrekeyDrainTests {
  @LoopActor private static func bob(at registry: TestRegistry) async throws -> (User, Client) {
    let bob = try User("bob")
    let client = try await registry.online(bob)
    let message = try await client.publish(
      signed: bob.signedPrekey(at: registry.key), keys: oneTimePrekeys(1...100))
    #expect(message.published?.left == 100)
    return (bob, client)
  }

  /// RESET after RESET, over many sessions at once: a few go to one account, and the others are there for everybody.
  @Test func oneAccountGetsAFew() async throws {
    try await withRegistry { registry in
      let (bob, owner) = try await Self.bob(at: registry)
      let eve = try User("eve")
      var taken: Set<UInt32> = []
      for _ in 0..<3 {
        let client = try await registry.online(eve, port: 0)
        var last: UInt32?
        for _ in 0..<20 {
          let reset = last.map { client.reset($0, of: bob, by: eve, at: registry.key) }
          let offer = try #require(try await client.fetch(bob, reset: reset).offer)
          #expect(offer.signed.id == 1)
          last = offer.oneTime?.id ?? last
          if let id = offer.oneTime?.id { taken.insert(id) }
        }
      }
      #expect(taken == Set(1...6))
      let ann = try await registry.online(User("ann"))
      #expect(try await ann.fetch(bob).offer?.oneTime?.id == 7)
      #expect(try await owner.publish().published?.left == 93)
    }
  }

  /// A hundred accounts at once get sixty, none of them twice; those who come later begin without one, and the next hour
  /// has some for them.
  @Test func manyAccountsGetTheHoursShare() async throws {
    let clock = TestClock()
    try await withRegistry(configure: { $0.clock = { clock.now } }) { registry in
      let (bob, owner) = try await Self.bob(at: registry)
      var clients: [Client] = []
      for index in 0..<100 { clients.append(try await registry.online(User("mallory-\(index)"), port: 0)) }
      for client in clients { client.link.send(Fetch(request: 1, name: bob.name, device: 1)) }
      var taken: [UInt32] = []
      for client in clients {
        let offer = try #require(try await client.next().offer)
        #expect(offer.signed.id == 1)
        if let id = offer.oneTime?.id { taken.append(id) }
      }
      #expect(taken.count == 60 && Set(taken) == Set(1...60))
      // What is used up makes no room.
      #expect(try await owner.publish(used: Array(1...60)).published?.left == 40)
      let ann = try await registry.online(User("ann"))
      let offer = try await ann.fetch(bob).offer
      #expect(offer?.signed.id == 1 && offer?.oneTime == nil)
      clock.advance(by: 3_600)
      #expect(try await ann.fetch(bob).offer?.oneTime?.id == 61)
    }
  }

  /// With none left the signed prekey serves all, and the owner is not bothered any more.
  @Test func whereNoneIsLeftTheSignedPrekeyServes() async throws {
    try await withRegistry { registry in
      let bob = try User("bob")
      let owner = try await registry.online(bob)
      let signed = bob.signedPrekey(at: registry.key)
      #expect(try await owner.publish(signed: signed, keys: oneTimePrekeys(1...2)).published != nil)
      for index in 0..<5 {
        let client = try await registry.online(User("user-\(index)"))
        let offer = try await client.fetch(bob).offer
        #expect(offer?.signed == signed && (offer?.oneTime == nil) == (index >= 2))
      }
      #expect(try await owner.publish().published?.left == 0)
      #expect(owner.stocks == [1, 0])
    }
  }

  /// One account that goes from user to user.
  @Test func oneAccountGetsSoManyOfAll() async throws {
    try await withRegistry(configure: { $0.prekeysTaken = Rate(3, per: 3_600_000) }) { registry in
      let eve = try await registry.online(User("eve"))
      for index in 0..<5 {
        let user = try User("user-\(index)")
        let client = try await registry.online(user)
        let signed = user.signedPrekey(at: registry.key)
        #expect(try await client.publish(signed: signed, keys: oneTimePrekeys(1...2)).published != nil)
        // Asking again costs nothing.
        for _ in 0..<3 {
          let offer = try await eve.fetch(user).offer
          #expect(offer?.signed == signed && (offer?.oneTime == nil) == (index >= 3))
        }
      }
    }
  }
}
