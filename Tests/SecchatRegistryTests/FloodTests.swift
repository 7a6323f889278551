import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatRegistry

/// A registry that somebody wants to fill.
@Suite struct FloodTests {
  /// With every connection taken, whoever is in is served, whoever comes is turned away, and gets in when one leaves.
  @Test func aFullRegistryServesWhoIsIn() async throws {
    try await withRegistry(host: "::", configure: { $0.connections = 8 }) { registry in
      var standing: [Client] = []
      for index in 0..<8 {
        let host = index < 4 ? "127.0.0.1" : "::1"
        standing.append(try await registry.online(User("user-\(index)"), host: host))
      }
      for host in ["127.0.0.1", "::1"] {
        let stream = try await registry.stream(host: host)
        let ending = await failure { () throws(NetError) in
          try await stream.fill(atLeast: 1, deadline: .now + 60_000)
        }
        #expect(ending == .closed || ending == .reset)
      }
      for (index, client) in standing.enumerated() {
        let name = try #require(UserName("user-\((index + 1) % 8)"))
        #expect(try await client.lookUp(name).found?.address != nil)
        #expect(try await client.heartbeat().alive != nil)
      }
      standing.removeLast().link.close(.done)
      let late = try User("late")
      #expect(
        await eventually { (try? await registry.online(late, host: "::1").heartbeat().alive) != nil })
      for client in standing { #expect(try await client.heartbeat().alive != nil) }
    }
  }

  /// Registers new names with new keys over ever new links until `isOver`.
  ///
  /// - Returns: how many were registered, and how many were not.
  @LoopActor private func flood(
    _ registry: TestRegistry, from host: String, name: String, until isOver: (Int) -> Bool
  ) async throws -> (registered: Int, refused: Int) {
    var count = (registered: 0, refused: 0)
    while !isOver(count.registered + count.refused) {
      let keys = try User("link")
      let client = try await registry.client(of: keys, host: host)
      do {
        for _ in 0..<20 {
          let user = try User("\(name)-\(count.registered + count.refused)")
          let device = Device(
            id: 1, link: keys.secret.link.publicKey, messaging: keys.secret.messaging.publicKey,
            signing: keys.secret.signing.publicKey, created: 1)
          let list = try #require(
            DeviceList(
              identity: user.secret.identity.publicKey,
              account: Account(name: user.name, registry: registry.key), version: 1, previous: FixedBytes(),
              devices: [device]))
          let signed = SignedDeviceList(signing: list, with: user.secret.identity)
          let answer = try await client.register(signed, by: user)
          if answer.registered != nil { count.registered += 1 } else { count.refused += 1 }
          if answer.registered == nil { #expect(answer.failure == .rateLimited) }
        }
      } catch is LinkError {
        // Who is only refused is shown out.
      }
      client.link.abort()
    }
    return count
  }

  /// One address gets its hundred names, and the store no more than those; another address is not concerned.
  @Test func aSignUpFloodIsBounded() async throws {
    try await withRegistry(host: "::") { registry in
      let flooded = OneShot<(registered: Int, refused: Int)>()
      Loop.spawn {
        do {
          flooded.fulfil(try await self.flood(registry, from: "127.0.0.1", name: "flood") { $0 >= 600 })
        } catch { flooded.fail(.closed) }
      }
      for index in 0..<20 {
        let user = try User("honest-\(index)")
        let client = try await registry.client(of: user, host: "::1")
        #expect(try await registry.register(user, over: client).registered?.already == false)
        #expect(try await client.logIn(user).loggedIn != nil)
        #expect(try await client.lookUp(user.name).found != nil)
        client.link.close(.done)
      }
      let count = try await flooded.wait(deadline: .now + 60_000)
      #expect(count.registered == 100 && count.refused >= 500, "\(count)")
      var stored = 0
      for index in 0..<count.registered + count.refused {
        let name = try #require(UserName("flood-\(index)"))
        if try await registry.store.account(named: name) != nil { stored += 1 }
      }
      #expect(stored == 100)
    }
  }

  /// An address that flooded gets names again once its time has come, at the rate of all.
  @Test func afterASignUpFloodItsAddressMaySignUpAgain() async throws {
    try await withRegistry(configure: { $0.signups = Rate(10, per: 2_000) }) { registry in
      let count = try await flood(registry, from: "127.0.0.1", name: "flood") { $0 >= 100 }
      #expect(count.refused > count.registered, "\(count)")
      let user = try User("honest")
      #expect(
        try await eventually { () async throws -> Bool in
          let client = try await registry.client(of: user)
          defer { client.link.abort() }
          return try await registry.register(user, over: client).registered?.already == false
        })
    }
  }
}
