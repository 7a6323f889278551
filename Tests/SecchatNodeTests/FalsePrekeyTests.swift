import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// A registry that gives out prekeys that are not those of the peer's device: nothing is sealed to them, and the message
/// arrives all the same, with prekeys that the peer tells itself.
@Suite(.serialized) struct FalsePrekeyTests {
  enum Lie: CaseIterable {
    /// Signed by somebody else.
    case forged
    /// The device's own signature, over another key.
    case exchanged
    case expired
    /// Well signed by the device of another account, which the registry itself may have made.
    case anothersAccount
    /// Well signed by that device for another of its account.
    case anothersDevice
    /// Well signed for the same name at another registry.
    case anothersRegistry
  }

  /// What the registry says of bob, with a key whose private half it may have.
  @LoopActor private func offer(_ lie: Lie, of bob: Stranger, _ mallory: Stranger) throws -> PrekeyOffer {
    let key = try AgreementPrivateKey<SignedPrekeyPurpose>.random().publicKey
    func signed(
      as account: Account, device: UInt32 = 1, expires: UInt64 = .max, by signer: Stranger
    ) -> SignedPrekey {
      SignedPrekey(
        signing: key, id: 99, expires: expires, for: account, device: device, with: signer.identity.signing)
    }
    let prekey: SignedPrekey
    switch lie {
    case .forged: prekey = signed(as: bob.account, by: mallory)
    case .exchanged:
      var writer = WireWriter()
      signed(as: bob.account, by: bob).encode(into: &writer)
      var bytes = writer.bytes
      bytes.replaceSubrange(
        12..<44, with: try AgreementPrivateKey<SignedPrekeyPurpose>.random().publicKey.raw.array)
      var reader = WireReader(bytes.raw)
      prekey = try SignedPrekey(from: &reader)
    case .expired: prekey = signed(as: bob.account, expires: 1, by: bob)
    case .anothersAccount: prekey = signed(as: mallory.account, by: mallory)
    case .anothersDevice: prekey = signed(as: bob.account, device: 2, by: bob)
    case .anothersRegistry:
      let account = Account(name: bob.account.name, registry: try LinkKeyPair.random().publicKey)
      prekey = signed(as: account, by: bob)
    }
    return PrekeyOffer(signed: prekey, oneTime: OneTimePrekey(id: 98, key: OneTimePrekeyKey(Random.bytes())))
  }

  @Test(arguments: Lie.allCases) @LoopActor func nothingIsSealedToThem(lie: Lie) async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let offer = try offer(lie, of: bob, try Stranger("mallory", at: registry))
    var fetches = 0
    registry.answer = { request in
      guard case .fetch(let fetch) = request else { return nil }
      fetches += 1
      return Bundle(request: fetch.request, offer: offer)
    }
    let link = try await bob.dial(alice)
    link.send(Ready(stream: 0, limit: 10))
    link.flush()
    #expect(await eventually { alice.node.sessions.session(with: bob.account) != nil })
    let outcome = Box<SecchatNode.ExitStatus?>(nil)
    Loop.spawn { outcome.value = await alice.chat("bob", timeout: 60).status }
    var (inquiries, chats): (Int, [Chat]) = (0, [])
    link.deadline = .now + 60_000
    while chats.isEmpty {
      let message = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      if case .inquire = message {
        inquiries += 1
        link.send(try bob.prekeys())
      }
      if case .chat(let chat) = message {
        chats.append(chat)
        link.send(Ack(id: chat.id))
      }
      link.flush()
    }
    #expect(await eventually { outcome.value != nil })
    #expect(outcome.value == .done)
    #expect(fetches == 1 && inquiries == 1)
    // Begun with what bob has said himself, and with nothing of the registry's.
    #expect(chats.map(\.envelope.initiation?.signed) == [1])
    #expect(chats.map(\.envelope.initiation?.oneTime) == [nil])
    link.abort()
    await alice.node.close()
    registry.stop()
  }

  /// A one-time prekey has no signature: the registry can give out the device's own signed one with another key under a
  /// number that the device knows. That costs a few attempts, and says nothing of the device.
  @Test @LoopActor func anotherOneTimeKeyUnderAKnownNumber() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    let name = try bob.account("bob").name
    try #require(await eventually { registry.publishes[name]?.last?.keys.isEmpty == false })
    let brought = try #require(registry.publishes[name]?.last)
    let (signed, id) = (try #require(brought.signed), try #require(brought.keys.first).id)
    var fetches = 0
    registry.answer = { request in
      guard case .fetch(let fetch) = request else { return nil }
      fetches += 1
      let oneTime = OneTimePrekey(id: id, key: OneTimePrekeyKey(Random.bytes()))
      return Bundle(request: fetch.request, offer: PrekeyOffer(signed: signed, oneTime: oneTime))
    }
    #expect(await alice.chat("bob", timeout: 60).status == .done)
    #expect(fetches == 2)
    #expect(bob.texts == ["for your eyes"])
    #expect(alice.resets == 0 && bob.resets == 0)
    for node in [alice, bob] { await node.node.close() }
    registry.stop()
  }
}
