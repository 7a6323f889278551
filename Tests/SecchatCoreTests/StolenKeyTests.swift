import SecchatCrypto
import TestSupport
import Testing

@testable import SecchatCore

/// What a stolen key is good for in an XK handshake. The thief computes its tokens by hand; in the place of the one
/// result that he lacks he tries every one that his keys can make. What the owner of the missing key would compute is
/// tried last and fits, so that the attempts before it failed for the key alone.
@Suite struct StolenKeyTests {
  private struct Key {
    let secret: [UInt8]
    let publicKey: [UInt8]

    init() throws {
      let bytes: FixedBytes<32> = Random.bytes()
      secret = bytes.array
      publicKey = try LinkKeyPair(AgreementPrivateKey(SecretBytes(secret))).publicKey.raw.array
    }

    func shared(with other: [UInt8]) throws -> [UInt8] {
      guard let raw = FixedBytes<32>(other) else { throw CryptoError.wrongLength }
      let theirs = AgreementPublicKey<LinkPurpose>(raw)
      let mine = try pair()
      let result = try mine.privateKey.sharedSecret(with: theirs)
      return result.bytes.array
    }

    func pair() throws -> LinkKeyPair { LinkKeyPair(try AgreementPrivateKey(SecretBytes(secret))) }
  }

  /// The state of a handshake as somebody computes it who takes no part in it.
  private final class Thief {
    private var state: SymmetricState<SHA256>

    init(_ state: consuming SymmetricState<SHA256>) { self.state = state }

    func copy() -> Thief { Thief(state.duplicate()) }
    func hash(_ data: [UInt8]) { state.mixHash(data.raw) }
    func mix(_ shared: [UInt8]) { state.mixKey(shared.raw) }
    func open(_ sealed: ArraySlice<UInt8>) throws -> [UInt8] {
      let bytes = Array(sealed)
      return try state.decryptAndHash(bytes.raw)
    }
    func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
      var message: [UInt8] = []
      try state.encryptAndHash(plaintext.raw, appendingTo: &message)
      return message
    }
  }

  private let prologue = Array("a link".utf8)
  private let alice: Key
  private let bob: Key
  private let aliceEphemeral: Key
  private let bobEphemeral: Key

  init() throws {
    (alice, bob, aliceEphemeral, bobEphemeral) = (try Key(), try Key(), try Key(), try Key())
  }

  private func party(_ role: HandshakePattern.Role) throws -> NoiseParty<SHA256> {
    let (own, ephemeral) = role == .initiator ? (alice, aliceEphemeral) : (bob, bobEphemeral)
    return NoiseParty(
      try .withFixedEphemeralForTestingOnly(
        try AgreementPrivateKey(SecretBytes(ephemeral.secret)), pattern: .XK, role: role, prologue: prologue,
        static: own.pair(), remoteStatic: role == .initiator ? bob.pair().publicKey : nil))
  }

  /// The state before the first message, which everybody knows who knows the responder's public key.
  private func beginning() -> Thief {
    let thief = Thief(SymmetricState(protocolName: "Noise_XK_25519_ChaChaPoly_SHA256"))
    thief.hash(prologue)
    thief.hash(bob.publicKey)
    return thief
  }

  /// Every shared secret of one of the keys with one of the public keys in the handshake.
  private func guesses(with keys: [Key], _ others: [UInt8]...) throws -> [[UInt8]] {
    let publicKeys = [alice, bob, aliceEphemeral, bobEphemeral].map(\.publicKey) + others
    return try keys.flatMap { key in try publicKeys.map { try key.shared(with: $0) } }
  }

  /// Alice's last message, with this for the token `se`.
  private func third(after thief: Thief, _ se: [UInt8]) throws -> [UInt8] {
    let thief = thief.copy()
    let key = try thief.seal(alice.publicKey)
    thief.mix(se)
    return key + (try thief.seal([]))
  }

  /// What opens as the next payload, with this for the token before it.
  private func opened(_ message: ArraySlice<UInt8>, after thief: Thief, _ token: [UInt8]) -> [UInt8]? {
    let thief = thief.copy()
    thief.mix(token)
    return try? thief.open(message)
  }

  /// Key-compromise impersonation: with Bob's key, nobody is Alice to Bob.
  @Test func `the responder's stolen key poses as nobody to it`() throws {
    let responder = try party(.responder)
    let own = try Key()
    let thief = beginning()
    thief.hash(own.publicKey)
    thief.mix(try own.shared(with: bob.publicKey))
    _ = try responder.read(own.publicKey + thief.seal([]))
    let second = try responder.write([])
    thief.hash(bobEphemeral.publicKey)
    thief.mix(try own.shared(with: bobEphemeral.publicKey))
    _ = try thief.open(second[32...])

    for guess in try guesses(with: [own, bob], own.publicKey) {
      let message = try third(after: thief, guess)
      #expect(throws: NoiseError.authenticationFailed) { try responder.read(message) }
    }
    let genuine = try third(after: thief, alice.shared(with: bobEphemeral.publicKey))
    _ = try responder.read(genuine)
    #expect(responder.remoteStatic?.raw.array == alice.publicKey)
  }

  @Test func `a leaked ephemeral key opens nothing`() throws {
    let (initiator, responder) = (try party(.initiator), try party(.responder))
    let first = try initiator.write([1])
    _ = try responder.read(first)
    let second = try responder.write([2])
    _ = try initiator.read(second)
    let third = try initiator.write([3])
    #expect(try responder.read(third) == [3])

    // The responder's: not even the first message.
    let thief = beginning()
    thief.hash(aliceEphemeral.publicKey)
    for guess in try guesses(with: [bobEphemeral]) {
      #expect(opened(first[32...], after: thief, guess) == nil)
    }
    let es = try bob.shared(with: aliceEphemeral.publicKey)
    #expect(opened(first[32...], after: thief, es) == [1])

    // The initiator's: the first two payloads and whose key the third message has, and nothing from there on.
    thief.mix(try aliceEphemeral.shared(with: bob.publicKey))
    #expect(try thief.open(first[32...]) == [1])
    thief.hash(bobEphemeral.publicKey)
    thief.mix(try aliceEphemeral.shared(with: bobEphemeral.publicKey))
    #expect(try thief.open(second[32...]) == [2])
    #expect(try thief.open(third[..<48]) == alice.publicKey)
    for guess in try guesses(with: [aliceEphemeral]) {
      #expect(opened(third[48...], after: thief, guess) == nil)
    }
    let se = try alice.shared(with: bobEphemeral.publicKey)
    #expect(opened(third[48...], after: thief, se) == [3])
  }

  /// Forward secrecy: with the static keys of both, what was recorded stays closed.
  @Test func `both stolen keys open no recorded session`() throws {
    let (initiator, responder) = (try party(.initiator), try party(.responder))
    let first = try initiator.write([])
    _ = try responder.read(first)
    let second = try responder.write([2])
    _ = try initiator.read(second)
    let third = try initiator.write([3])
    #expect(try responder.read(third) == [3])

    let thief = beginning()
    thief.hash(aliceEphemeral.publicKey)
    thief.mix(try bob.shared(with: aliceEphemeral.publicKey))
    _ = try thief.open(first[32...])
    thief.hash(bobEphemeral.publicKey)
    for guess in try guesses(with: [alice, bob]) {
      #expect(opened(second[32...], after: thief, guess) == nil)
    }
    // One of the two ephemeral keys would have done; neither is kept.
    let ee = try aliceEphemeral.shared(with: bobEphemeral.publicKey)
    #expect(opened(second[32...], after: thief, ee) == [2])
  }
}
