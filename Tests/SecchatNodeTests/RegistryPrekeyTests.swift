import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What a client asks a registry about prekeys, and what it makes of the answers.
@Suite struct RegistryPrekeyTests {
  private let alice: SecretIdentity
  private let bob: UserName
  private let signed: SignedPrekey
  private let keys = [3, 4].map { OneTimePrekey(id: $0, key: OneTimePrekeyKey(Random.bytes())) }

  init() throws {
    alice = try SecretIdentity.generate(now: 1)
    bob = try #require(UserName("bob"))
    let (owner, registry) = (try SecretIdentity.generate(now: 1), try LinkKeyPair.random())
    signed = SignedPrekey(
      signing: SignedPrekeyKey(Random.bytes()), id: 9, expires: 1 << 33,
      for: Account(name: bob, registry: registry.publicKey), device: 1, with: owner.signing)
  }

  @LoopActor private func link(to registry: LyingRegistry) async throws -> RegistryLink {
    try await RegistryLink.connect(
      RegistryAddress(host: "127.0.0.1", port: registry.port, key: registry.key.publicKey), as: alice)
  }

  @LoopActor private func offer(_ fetch: Fetch, _ oneTime: OneTimePrekey?) -> Bundle {
    Bundle(request: fetch.request, offer: PrekeyOffer(signed: signed, oneTime: oneTime))
  }

  @Test @LoopActor func whatIsPublishedIsInOrder() async throws {
    let registry = try LyingRegistry()
    var seen: [Publish] = []
    registry.answer = { request in
      guard case .publish(let publish) = request else { return nil }
      seen.append(publish)
      return Published(request: publish.request, signed: 9, left: 77)
    }
    let link = try await link(to: registry)
    let answer = try await link.publish(
      replace: true, signed: signed, used: [9, 2, 40], keys: keys.reversed())
    #expect(answer.signed == 9 && answer.left == 77)
    _ = try await link.publish()
    #expect(seen.count == 2)
    #expect(
      seen[0]
        == Publish(request: seen[0].request, replace: true, signed: signed, used: [2, 9, 40], keys: keys))
    #expect(seen[1] == Publish(request: seen[1].request))
    link.close()
    registry.stop()
  }

  @Test @LoopActor func aBundleIsHandedOnAndNoneIsNil() async throws {
    let registry = try LyingRegistry()
    let link = try await link(to: registry)
    #expect(try await link.bundle(of: bob, device: 1) == nil)
    registry.answer = { request in
      guard case .fetch(let fetch) = request, fetch.device == 7, fetch.reset == nil else { return nil }
      return self.offer(fetch, self.keys[0])
    }
    #expect(try await link.bundle(of: bob, device: 7) == PrekeyOffer(signed: signed, oneTime: keys[0]))
    link.close()
    registry.stop()
  }

  /// The signature of a RESET is for this link, account, device and prekey.
  @Test @LoopActor func aResetIsSigned() async throws {
    let registry = try LyingRegistry()
    let link = try await link(to: registry)
    let account = Account(name: bob, registry: registry.key.publicKey)
    registry.answer = { request in
      guard case .fetch(let fetch) = request else { return nil }
      let isGood = fetch.reset?.isSigned(
        by: self.alice.publicDevice, handshakeHash: link.handshakeHash, account: account, device: 1)
      guard fetch.reset?.failed == 3, isGood == true else {
        return Failure(request: fetch.request, reason: .unavailable)
      }
      return self.offer(fetch, self.keys[1])
    }
    #expect(try await link.bundle(of: bob, device: 1, reset: (3, alice))?.oneTime == keys[1])
    link.close()
    registry.stop()
  }

  /// A registry that has forgotten the prekey that failed is asked again without it, once; whatever it says, that one does
  /// not come back.
  @Test @LoopActor func aRefusedResetIsAskedWithout() async throws {
    let registry = try LyingRegistry()
    var (asked, answer) = (0, keys[1])
    registry.answer = { request in
      guard case .fetch(let fetch) = request else { return nil }
      asked += 1
      guard fetch.reset == nil else { return Failure(request: fetch.request, reason: .badRequest) }
      return self.offer(fetch, answer)
    }
    let link = try await link(to: registry)
    #expect(try await link.bundle(of: bob, device: 1, reset: (3, alice))?.oneTime == keys[1])
    #expect(asked == 2)
    answer = keys[0]
    #expect(
      try await link.bundle(of: bob, device: 1, reset: (3, alice))
        == PrekeyOffer(signed: signed, oneTime: nil))
    link.close()
    registry.stop()
  }

  @Test(arguments: Failure.Reason.allCases) @LoopActor func everyFailureIsAnHonestError(
    reason: Failure.Reason
  ) async throws {
    let registry = try LyingRegistry()
    registry.answer = { request in
      switch request {
      case .fetch(let fetch): Failure(request: fetch.request, reason: reason)
      case .publish(let publish): Failure(request: publish.request, reason: reason)
      default: nil
      }
    }
    let link = try await link(to: registry)
    for reset in [nil, (failed: UInt32(3), identity: alice)] {
      do throws(NodeError) {
        #expect(try await link.bundle(of: bob, device: 1, reset: reset) == nil && reason == .noPrekeys)
      } catch { #expect(reason != .noPrekeys && !error.message.isEmpty) }
    }
    await #expect(throws: NodeError.self) { try await link.publish() }
    link.close()
    registry.stop()
  }

  @Test @LoopActor func anotherAnswerIsNone() async throws {
    let registry = try LyingRegistry()
    registry.answer = { request in
      switch request {
      case .fetch(let fetch): Published(request: fetch.request, signed: 1, left: 1)
      case .publish(let publish): self.offer(Fetch(request: publish.request, name: self.bob, device: 1), nil)
      default: nil
      }
    }
    let link = try await link(to: registry)
    let fetched = await failure { () throws(NodeError) in _ = try await link.bundle(of: bob, device: 1) }
    let published = await failure { () throws(NodeError) in _ = try await link.publish() }
    #expect(fetched?.status == .internal && published?.status == .internal)
    link.close()
    registry.stop()
  }

  /// STOCK, unasked, gets through to who keeps the client.
  @Test @LoopActor func aLowStockIsHeardOf() async throws {
    let registry = try LyingRegistry()
    registry.unasked = { request in
      guard case .publish = request else { return [] }
      return [Stock(left: 19), Stock(left: 0)]
    }
    let client = RegistryClient(
      identity: alice, account: Account(name: bob, registry: registry.key.publicKey),
      registry: RegistryAddress(host: "127.0.0.1", port: registry.port, key: registry.key.publicKey), port: 7)
    var heard: [UInt16] = []
    client.onStock = { heard.append($0.left) }
    _ = try await client.session().publish()
    #expect(heard == [19, 0])
    await client.stop(sayingSo: true)
    registry.stop()
  }
}
