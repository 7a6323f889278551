import SecchatCrypto
import TestSupport
import Testing

@testable import SecchatCore

/// Public keys with which every agreement gives zeros: whoever lets them in shares his secrets with everybody. The forger
/// counts on that: what he seals would open, were his keys taken.
@Suite struct SmallOrderTests {
  /// And one with the top bit, which does not count.
  static let keys: [FixedBytes<32>] = (smallOrderKeys + [String(repeating: "0", count: 62) + "80"])
    .map { must(FixedBytes([UInt8](hex: $0))) }

  // MARK: Beginning a session

  /// Bob's bundle with these keys in place of his, all that has to be signed signed by himself.
  private func bundle(
    signed: SignedPrekeyKey = Users.bobsSignedPrekey.key,
    oneTime: OneTimePrekeyKey? = Users.bobsOneTimePrekey.privateKey.publicKey,
    messaging: MessagingPublicKey = Users.bob.messaging.publicKey
  ) throws -> PrekeyBundle {
    let device = Users.bob.publicDevice
    let list = try #require(
      DeviceList(
        identity: Users.bob.identity.publicKey, account: Users.bobAccount, version: 1, previous: FixedBytes(),
        devices: [
          Device(
            id: device.id, link: device.link, messaging: messaging, signing: device.signing,
            created: device.created)
        ]))
    let offer = PrekeyOffer(
      signed: SignedPrekey(
        signing: signed, id: 1, expires: .max, for: Users.bobAccount, device: device.id,
        with: Users.bob.signing),
      oneTime: oneTime.map { OneTimePrekey(id: 2, key: $0) })
    return try PrekeyBundle(verifying: offer, of: device.id, on: list, now: 0)
  }

  @Test(arguments: keys) func `no session begins with a prekey of small order`(raw: FixedBytes<32>) throws {
    let bundles = [
      try bundle(signed: SignedPrekeyKey(raw)), try bundle(signed: SignedPrekeyKey(raw), oneTime: nil),
      try bundle(oneTime: OneTimePrekeyKey(raw)), try bundle(messaging: MessagingPublicKey(raw)),
    ]
    for bundle in bundles {
      var alice = Correspondence()
      let state = alice.encoded.copied()
      #expect(throws: CryptoError.authenticationFailed) {
        try alice.begin(with: bundle, as: SealedExample.alice, Users.alice)
      }
      #expect(alice.encoded.copied() == state && alice.needsBundle)
    }
    // The control: they are all that was wrong.
    var alice = Correspondence()
    try alice.begin(with: bundle(), as: SealedExample.alice, Users.alice)
  }

  // MARK: Answering

  private static let zeros = [UInt8](repeating: 0, count: 32)

  /// X3DH as its forger computes it: with zeros for each agreement that he makes so.
  private func root(_ agreements: [[UInt8]]) throws -> RootKey {
    let (input, salt, info) = (
      [UInt8](repeating: 0xff, count: 32) + agreements.joined(), Self.zeros, X3DH.info
    )
    return RootKey(
      try HKDF<SHA256>.derive(
        inputKeyMaterial: input.raw, salt: salt.raw, info: info.raw, count: RootKey.length))
  }

  /// What Alice, or who takes her name, sends as the first message of a session.
  private func first(
    _ root: RootKey, from alice: Party, ephemeral: InitiationPublicKey
  ) throws -> Envelope {
    let initiation = Initiation(ephemeral: ephemeral, signed: 1, oneTime: 2)
    let binding = SessionBinding.of(initiator: alice, responder: SealedExample.bob, initiation: initiation)
    let name = SessionBinding.name(binding)
    var state = RatchetState<MessageSuite>(
      initiator: root, theirs: RatchetPublicKey(Users.bobsSignedPrekey.key.raw))
    let (header, sealed) = try state.seal(Messages.content.encoded.raw) {
      Envelope.associated(binding, name, initiation, $0)
    }
    return Envelope(session: name, initiation: initiation, header: header, sealed: sealed)
  }

  /// Bob does not open it, and is as he was.
  private func expectRefused(
    _ envelope: Envelope, by bob: inout Correspondence, from alice: Party = SealedExample.alice
  ) {
    let state = bob.encoded.copied()
    #expect(throws: Correspondence.Failure.undecryptable) {
      try bob.open(envelope, from: alice, as: SealedExample.bob, Users.bob) { _ in SealedExample.prekeys }
    }
    #expect(bob.encoded.copied() == state)
  }

  @Test(arguments: keys) func `an ephemeral key of small order is refused`(raw: FixedBytes<32>) throws {
    let agreed = try Users.alice.messaging.sharedSecret(with: Users.bobsSignedPrekey.key).copied()
    let root = try root([agreed, Self.zeros, Self.zeros, Self.zeros])
    var bob = Correspondence()
    expectRefused(
      try first(root, from: SealedExample.alice, ephemeral: InitiationPublicKey(raw)), by: &bob)
  }

  @Test(arguments: keys) func `a messaging key of small order is refused`(raw: FixedBytes<32>) throws {
    let alice = Party(
      account: Users.aliceAccount, identity: Users.alice.identity.publicKey, device: 1,
      messaging: MessagingPublicKey(raw))
    let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random()
    let root = try root([
      Self.zeros, ephemeral.sharedSecret(with: Users.bob.messaging.publicKey).copied(),
      ephemeral.sharedSecret(with: Users.bobsSignedPrekey.key).copied(),
      ephemeral.sharedSecret(with: Users.bobsOneTimePrekey.privateKey.publicKey).copied(),
    ])
    var bob = Correspondence()
    expectRefused(try first(root, from: alice, ephemeral: ephemeral.publicKey), by: &bob, from: alice)
  }

  // MARK: In a session

  /// Alice's end of a session, in her own hands.
  private struct Forger {
    let binding: FixedBytes<32>
    let initiation: Initiation
    var state: RatchetState<MessageSuite>
    private var sequence: UInt64 = 0
    private var previous = FixedBytes<32>()

    init() throws {
      let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random()
      let root = try X3DH.initiate(
        identity: Users.alice.messaging, ephemeral: ephemeral, theirIdentity: SealedExample.bob.messaging,
        signed: Users.bobsSignedPrekey.key, oneTime: Users.bobsOneTimePrekey.privateKey.publicKey)
      initiation = Initiation(ephemeral: ephemeral.publicKey, signed: 1, oneTime: 2)
      binding = SessionBinding.of(
        initiator: SealedExample.alice, responder: SealedExample.bob, initiation: initiation)
      state = RatchetState(initiator: root, theirs: RatchetPublicKey(Users.bobsSignedPrekey.key.raw))
    }

    private mutating func content() -> [UInt8] {
      let content = Content(
        sequence: sequence + 1, previous: previous,
        message: Message(id: Random.bytes(), sent: 1, body: .text("hello")))
      (sequence, previous) = (content.sequence, content.hash)
      return content.encoded
    }

    mutating func write() throws -> Envelope {
      let (binding, name, initiation) = (binding, SessionBinding.name(binding), initiation)
      let (header, sealed) = try state.seal(content().raw) {
        Envelope.associated(binding, name, initiation, $0)
      }
      return Envelope(session: name, initiation: initiation, header: header, sealed: sealed)
    }

    mutating func read(_ envelope: Envelope) throws {
      let data = Envelope.associated(binding, envelope.session, envelope.initiation, envelope.header)
      _ = try state.open(envelope.header, envelope.sealed.raw, authenticating: data.raw)
    }

    /// A message under a ratchet key whose agreement with any other is zeros; what she has is not changed by it.
    func write(under key: RatchetPublicKey) throws -> Envelope {
      var copy = self
      let name = SessionBinding.name(binding)
      let header = RatchetHeader(key: key, previous: state.sending?.next ?? state.previous, number: 0)
      let chain = state.root.step(SecretBytes(SmallOrderTests.zeros), info: MessageSuite.rootInfo).chain
      let sealed = MessageSuite.seal(
        copy.content().raw, with: chain.messageKey,
        authenticating: Envelope.associated(binding, name, initiation, header).raw)
      return Envelope(session: name, initiation: initiation, header: header, sealed: sealed)
    }
  }

  @Test(arguments: keys) func `a ratchet key of small order is refused`(raw: FixedBytes<32>) throws {
    var (alice, bob) = (try Forger(), Correspondence())
    func read(_ envelope: Envelope, _ bob: inout Correspondence) throws {
      _ = try bob.open(envelope, from: SealedExample.alice, as: SealedExample.bob, Users.bob) { _ in
        SealedExample.prekeys
      }
    }
    // As the first of a session, and after a turn.
    expectRefused(try alice.write(under: RatchetPublicKey(raw)), by: &bob)
    try read(alice.write(), &bob)
    try alice.read(bob.seal(Message(id: Random.bytes(), sent: 1, body: .text("hello"))).envelope)
    expectRefused(try alice.write(under: RatchetPublicKey(raw)), by: &bob)
    // What is right is opened still.
    try read(alice.write(), &bob)
  }
}
