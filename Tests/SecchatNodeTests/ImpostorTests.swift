import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Who dials a node at work and is not who he says: refused in one way, whatever was wrong, and nothing is left of it.
@Suite(.serialized) struct ImpostorTests {
  /// Key-compromise impersonation: with all of the node's own keys, nobody is somebody else to it.
  @Test @LoopActor func aNodesStolenKeysPoseAsNobodyToIt() async throws {
    let registry = try LyingRegistry()
    let bob = try await NodeAtWork("bob", at: registry)
    let alice = try Stranger("alice", at: registry)
    let known = try await alice.dial(bob)
    try await alice.say("hello", on: known)
    let before = bob.remains
    let stolen = bob.node.identity.link
    // By a program that says that it is alice …
    for key in [stolen, try .random()] {
      #expect(await !alice.isTaken(try await bob.dialled(by: key, saying: alice.hello)))
    }
    // … and by hand: alice's key is claimed, with every secret that the thief can compute in the place of hers.
    for key in 0..<2 {
      for other in 0..<4 {
        let thief = try await Forger.dial(bob)
        let own = [stolen, thief.ephemeral][key]
        let others = [
          alice.identity.link.publicKey, stolen.publicKey, thief.theirs, thief.ephemeral.publicKey,
        ]
        let guess = try Forger.shared(own, others[other])
        let isTaken = try await thief.claim(
          alice.identity.link.publicKey, guess, saying: alice.hello)
        #expect(!isTaken, "key \(key) with \(other)")
      }
    }
    #expect(bob.remains == before)
    // It was that one secret that was missing.
    let genuine = try await Forger.dial(bob)
    let secret = try Forger.shared(alice.identity.link, genuine.theirs)
    #expect(try await genuine.claim(alice.identity.link.publicKey, secret, saying: alice.hello))
    known.abort()
    await bob.node.close()
    registry.stop()
  }

  private struct Claim {
    let what: String
    let key: LinkKeyPair
    let hello: [UInt8]

    init(_ what: String, _ key: LinkKeyPair, _ hello: [UInt8]) {
      (self.what, self.key, self.hello) = (what, key, hello)
    }

    init(_ what: String, _ key: LinkKeyPair, _ device: UInt32, _ list: SignedDeviceList) {
      self.init(what, key, Hello(device: device, list: list).encoded)
    }
  }

  /// A list that names somebody's identity key and is signed by another, with a device of that one's on it.
  private func injected(_ mallory: Stranger, into list: SignedDeviceList, version: UInt64) throws
    -> SignedDeviceList
  {
    let more = try #require(
      DeviceList(
        identity: list.list.identity, account: list.list.account, version: version, previous: list.hash,
        devices: list.list.devices + [mallory.identity.device(9)]))
    return SignedDeviceList(signing: more, with: mallory.identity.identity)
  }

  @Test @LoopActor func whoIsNotWhomHeSaysIsLeftInSilence() async throws {
    let registry = try LyingRegistry()
    let bob = try await NodeAtWork("bob", at: registry)
    let (alice, mallory) = (try Stranger("alice", at: registry), try Stranger("mallory", at: registry))
    // Alice has a new device, and bob has seen the list that has the old one no more.
    let phone = try SecretIdentity.generate(now: 2)
    let newer = try alice.next([phone.device(2)])
    registry.enrol(newer)
    let hello = Hello(device: 2, list: newer).encoded
    let known = try await bob.dialled(by: phone.link, saying: hello)
    let aliceThere = Stranger(phone, newer, device: 2)
    aliceThere.letters.note(bob, at: known)
    try await aliceThere.say("hello", on: known)
    #expect(bob.node.contacts[alice.account]?.pinned == newer)
    // Dave is known to the registry alone, by his second list.
    let dave = try Stranger("dave", at: registry)
    registry.enrol(try dave.next([phone.device(2)]))
    let carol = try Stranger("carol", at: registry)
    let elsewhere = Account(name: mallory.account.name, registry: try LinkKeyPair.random().publicKey)
    let nobody = Account(name: try #require(UserName("nobody")), registry: registry.key.publicKey)
    let thief = mallory.identity
    func own(_ account: Account) throws -> SignedDeviceList {
      try #require(thief.firstDeviceList(for: account))
    }
    var broken = hello
    broken[40] ^= 1

    let before = bob.remains
    for claim in [
      Claim("alice's list, bob's key", bob.node.identity.link, hello),
      Claim("alice's list, another key", thief.link, hello),
      Claim("the old device, by its list", alice.identity.link, 1, alice.list),
      Claim("the old device, by the new list", alice.identity.link, 1, newer),
      Claim("the old device for the new", alice.identity.link, 2, newer),
      Claim("the new device, by the old list", phone.link, 2, alice.list),
      Claim("another list of that version", thief.link, 9, try alice.next([thief.device(9)])),
      Claim("an older list after all", phone.link, 2, try alice.next([phone.device(2)], version: 1)),
      Claim("another identity", thief.link, 1, try own(alice.account)),
      Claim("a device injected", thief.link, 9, try injected(mallory, into: newer, version: 2)),
      Claim("a device injected, newer", thief.link, 9, try injected(mallory, into: newer, version: 3)),
      Claim("another account's list", thief.link, 9, try alice.next([thief.device(9)], for: carol.account)),
      Claim("a changed byte", phone.link, broken),
      Claim("nothing", thief.link, []),
      Claim("a HELLO cut short", phone.link, hello.dropLast()),
      Claim("a HELLO with more", phone.link, hello + [0]),
      Claim("bob himself", bob.node.identity.link, 1, try bob.node.ownList()),
      Claim("bob's name", thief.link, 1, try own(try bob.node.account())),
      Claim("another registry's user", thief.link, 1, try own(elsewhere)),
      Claim("a name that nobody has", thief.link, 1, try own(nobody)),
      Claim("a name that another has", thief.link, 1, try own(carol.account)),
      Claim("an old device of whom the registry knows a newer list", dave.identity.link, 1, dave.list),
    ] {
      let link = try await bob.dialled(by: claim.key, saying: claim.hello)
      link.deadline = .now + 60_000
      let error = await failure { () throws(LinkError) in
        try await link.receive { (_, _) throws(WireError) in }
      }
      #expect(error == .network(.closed) || error == .network(.reset), "\(claim.what)")
      #expect(bob.remains == before, "\(claim.what)")
    }
    #expect(await alice.isTaken(try await bob.dialled(by: phone.link, saying: hello)))
    known.abort()
    await bob.node.close()
    registry.stop()
  }

  /// Before the third message there is nothing to tell reasons apart by: not a byte comes back.
  @Test @LoopActor func everyFailedHandshakeLooksTheSame() async throws {
    let registry = try LyingRegistry()
    let bob = try await NodeAtWork("bob", at: registry)
    let list = try bob.node.ownList().list
    let key = bob.node.identity.link.publicKey
    let other = Account(name: try #require(UserName("carol")), registry: registry.key.publicKey)
    let right = Prologue.peer(list.account, device: 1)
    func first(_ prologue: [UInt8], to key: LinkPublicKey, payload: [UInt8] = []) throws -> [UInt8] {
      let start = try HandshakeState<SHA256>.initiator(
        pattern: .XK, prologue: prologue, static: .random(), remoteStatic: key)
      guard case .next(_, let message) = start.write(payload: payload.raw) else {
        throw LinkError.handshakeFailed
      }
      return message
    }
    let lowOrder: [[UInt8]] = [
      [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31),
      [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
    ]
    let tag = [UInt8](repeating: 7, count: 16)
    var attempts: [(String, [UInt8])] = [
      ("another opening byte", [9] + framed(try first(right, to: key))),
      ("what is your key?", [2] + framed([UInt8](repeating: 9, count: 32))),
      ("another key", [1] + framed(try first(right, to: .init(Random.bytes())))),
      ("another purpose", [1] + framed(try first(Prologue.registry, to: key))),
      ("another name", [1] + framed(try first(Prologue.peer(other, device: 1), to: key))),
      ("another device", [1] + framed(try first(Prologue.peer(list.account, device: 2), to: key))),
      ("no prologue", [1] + framed(try first([], to: key))),
      ("a payload", [1] + framed(try first(right, to: key, payload: [1]))),
      ("too long", [1, 0x10, 0x01]), ("too short", [1, 0, 1, 1]), ("nothing", [1, 0, 0]),
    ]
    for point in lowOrder { attempts.append(("a point of low order", [1] + framed(point + tag))) }
    let before = bob.remains
    for (what, bytes) in attempts {
      let stream = try await bob.stream()
      stream.say(bytes)
      #expect(await stream.countToEnd() == 0, "\(what)")
    }
    // With the right first message there is an answer, and after a third that fails nothing more.
    let forger = try await Forger.dial(bob)
    #expect(try await !forger.claim(key, tag + tag, saying: []))
    let stream = try await bob.stream()
    stream.say([1] + framed(try first(right, to: key)))
    _ = try await stream.message()
    stream.say(framed(tag + tag + tag + tag))
    #expect(await stream.countToEnd() == 0)
    #expect(bob.remains == before)
    await bob.node.close()
    registry.stop()
  }
}
