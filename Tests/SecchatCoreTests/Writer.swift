import SecchatCore
import SecchatCrypto
import TestSupport

/// Somebody who writes to one other person: a correspondence, and nothing that can be lost around it.
struct Writer {
  let secret: SecretIdentity
  let party: Party
  var correspondence = Correspondence()
  /// Prekeys that others may begin with; used up by nobody here.
  private let signed: SignedPrekeySecret
  private let oneTime: OneTimePrekeySecret?

  private init(
    _ secret: SecretIdentity, _ account: Account, _ signed: SignedPrekeySecret,
    _ oneTime: OneTimePrekeySecret?
  ) {
    self.secret = secret
    party = Party(secret, account: account)
    self.signed = signed
    self.oneTime = oneTime
  }

  /// Alice, who begins, and Bob.
  static func pair() throws -> (alice: Writer, bob: Writer) {
    let alice = Writer(Users.alice, Users.aliceAccount, try SignedPrekeySecret(.random()), nil)
    let bob = Writer(
      Users.bob, Users.bobAccount, Users.bobsSignedPrekeySecret, Users.bobsOneTimePrekey)
    return (alice, bob)
  }

  /// What a registry tells of one who is spoken to.
  func bundle() throws -> PrekeyBundle {
    let offer = PrekeyOffer(
      signed: SignedPrekey(
        signing: signed.privateKey.publicKey, id: 1, expires: .max, for: party.account, device: party.device,
        with: secret.signing),
      oneTime: oneTime.map { OneTimePrekey(id: 2, key: $0.privateKey.publicKey) })
    let list = must(secret.firstDeviceList(for: party.account)).list
    return try PrekeyBundle(verifying: offer, of: party.device, on: list, now: 0)
  }

  mutating func begin(with other: Writer) throws {
    try correspondence.begin(with: other.bundle(), as: party, secret)
  }

  /// Seals a message, which arrives: it is confirmed at once.
  mutating func write(_ text: String = "hello", arrives: Bool = true) throws -> Envelope {
    let message = Message(id: Random.bytes(), sent: 1, body: .text(text))
    let sealed = try correspondence.seal(message)
    if arrives { correspondence.confirm(sealed) }
    return sealed.envelope
  }

  /// Seals a message that is lost on its way: the next one says the same, under the next key.
  mutating func writeInVain() throws -> Envelope {
    defer { correspondence.rewind() }
    return try write(arrives: false)
  }

  @discardableResult
  mutating func read(_ envelope: Envelope, from other: Writer) throws -> Correspondence.Opened {
    let prekeys = PrekeySecrets(signed: signed, oneTime: oneTime)
    let withoutOneTime = PrekeySecrets(signed: signed, oneTime: nil)
    return try correspondence.open(envelope, from: other.party, as: party, secret) {
      $0.oneTime == nil ? withoutOneTime : prekeys
    }
  }

  /// What is kept of the correspondence.
  var state: [UInt8] { correspondence.encoded.withBytes { $0.array } }

  /// Somebody else with what is kept of it, the keys of the person included.
  func stolen() throws -> Writer {
    var copy = self
    copy.correspondence = try Correspondence(decoding: state.raw)
    return copy
  }
}
