import SecchatCore
import SecchatCrypto

/// What sealing and opening one message of 64 characters takes on one core, in a session that goes one way, and in one
/// whose direction turns with each message.
func ratchet(seconds: Double) throws {
  let (sealed, opened) = try Correspondents().oneWay(seconds: seconds)
  report("ratchet_seal", sealed, "msgs/s")
  report("ratchet_open", opened, "msgs/s")
  let pair = try Correspondents()
  report("ratchet_turns", try rate(seconds: seconds) { try pair.turn() }, "msgs/s")
}

/// Two devices that have begun a session.
private final class Correspondents {
  private let secrets: [SecretIdentity]
  private let parties: [Party]
  private var states = [Correspondence(), Correspondence()]
  private let text = Message.Body.text(String(repeating: "x", count: 64))
  private var sender = 0

  init() throws {
    let registry = try LinkKeyPair.random().publicKey
    secrets = try (0..<2).map { _ in try SecretIdentity.generate(now: 1) }
    let accounts = ["alice", "bob"].compactMap { UserName($0) }.map { Account(name: $0, registry: registry) }
    parties = zip(secrets, accounts).map { Party($0, account: $1) }
    let prekey = SignedPrekeySecret(try .random())
    guard let list = secrets[1].firstDeviceList(for: accounts[1]) else { throw Trouble("no device list") }
    let signed = SignedPrekey(
      signing: prekey.privateKey.publicKey, id: 1, expires: .max, for: accounts[1], device: 1,
      with: secrets[1].signing)
    let bundle = try PrekeyBundle(
      verifying: PrekeyOffer(signed: signed, oneTime: nil), of: 1, on: list.list, now: 0)
    try states[0].begin(with: bundle, as: parties[0], secrets[0])
    prekeys = PrekeySecrets(signed: prekey, oneTime: nil)
    try open(seal(), by: 1)
    sender = 1
    try open(seal(), by: 0)
    sender = 0
  }

  private let prekeys: PrekeySecrets

  private func seal() throws -> Envelope {
    let sealed = try states[sender].seal(Message(id: Random.bytes(), sent: 0, body: text))
    states[sender].confirm(sealed)
    return sealed.envelope
  }

  private func open(_ envelope: Envelope, by receiver: Int) throws {
    _ = try states[receiver].open(
      envelope, from: parties[1 - receiver], as: parties[receiver], secrets[receiver]
    ) { _ in prekeys }
  }

  func oneWay(seconds: Double) throws -> (Double, Double) {
    var (sealing, opening, count) = (0.0, 0.0, 0.0)
    while sealing + opening < seconds * 2 {
      let begun = now()
      let envelope = try seal()
      let half = now()
      try open(envelope, by: 1)
      opening += now() - half
      sealing += half - begun
      count += 1
    }
    return (count / sealing, count / opening)
  }

  /// One message, and the direction turns: a new ratchet key on each side.
  func turn() throws {
    try open(seal(), by: 1 - sender)
    sender = 1 - sender
  }
}
