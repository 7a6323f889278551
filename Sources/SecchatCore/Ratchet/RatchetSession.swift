internal import SecchatCrypto

/// One ratchet session with one device of a peer.
package struct RatchetSession: Sendable {
  /// What its messages are bound to: `SessionBinding`.
  let binding: FixedBytes<32>
  let isOurs: Bool
  /// Whether the other side has sent something in it. The responder of a session has its first message.
  private(set) var isAnswered: Bool
  /// What goes with every message until the other side has sent one in the session. Not only until it has confirmed one:
  /// that may have been known to it from another session, and not been opened.
  private(set) var initiation: Initiation?
  private var state: RatchetState<MessageSuite>

  package var name: SessionID { SessionBinding.name(binding) }
  /// Whether this side has sealed something in it.
  var hasSent: Bool { state.hasSent }

  /// Begins a session towards the device of a bundle.
  ///
  /// - Throws: `authenticationFailed` for keys of small order.
  static func begin(
    with bundle: PrekeyBundle, as ours: Party, _ secret: SecretIdentity
  ) throws(CryptoError) -> RatchetSession {
    let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random()
    let root = try X3DH.initiate(
      identity: secret.messaging, ephemeral: ephemeral, theirIdentity: bundle.device.messaging,
      signed: bundle.signed.key, oneTime: bundle.oneTime?.key)
    let initiation = Initiation(
      ephemeral: ephemeral.publicKey, signed: bundle.signed.id, oneTime: bundle.oneTime?.id)
    let theirs = Party(
      account: bundle.account, identity: bundle.identity, device: bundle.device.id,
      messaging: bundle.device.messaging)
    return RatchetSession(
      binding: SessionBinding.of(initiator: ours, responder: theirs, initiation: initiation), isOurs: true,
      isAnswered: false, initiation: initiation,
      state: RatchetState(initiator: root, theirs: RatchetPublicKey(bundle.signed.key.raw)))
  }

  /// The responder's side of a session that the other side has begun.
  ///
  /// - Throws: `authenticationFailed` for keys of small order.
  static func answer(
    _ initiation: Initiation, of theirs: Party, with prekeys: PrekeySecrets, as ours: Party,
    _ secret: SecretIdentity
  ) throws(CryptoError) -> RatchetSession {
    let root = try X3DH.respond(
      identity: secret.messaging, prekeys: prekeys, theirIdentity: theirs.messaging,
      ephemeral: initiation.ephemeral)
    return RatchetSession(
      binding: SessionBinding.of(initiator: theirs, responder: ours, initiation: initiation), isOurs: false,
      isAnswered: true, initiation: nil,
      state: RatchetState(responder: root, ours: prekeys.signed.ratchetKeyPair))
  }

  mutating func seal(_ content: [UInt8]) throws(RatchetError) -> Envelope {
    let (binding, name, initiation) = (binding, name, initiation)
    let (header, sealed) = try state.seal(content.raw) { header in
      Envelope.associated(binding, name, initiation, header)
    }
    return Envelope(session: name, initiation: initiation, header: header, sealed: sealed)
  }

  mutating func open(_ envelope: Envelope) throws(RatchetError) -> SecretBytes {
    let data = Envelope.associated(binding, name, envelope.initiation, envelope.header)
    let content = try state.open(envelope.header, envelope.sealed.raw, authenticating: data.raw)
    isAnswered = true
    initiation = nil
    return content
  }
}

/// How a session is kept between two starts of a program; always sealed.
///
///     binding     32
///     flags       u8 ours, u8 answered
///     initiation  u8: 0, or 1 and an Initiation
///     state       a RatchetState
extension RatchetSession {
  var encodedLength: Int { header.count + state.encodedLength }

  private var header: [UInt8] {
    var writer = WireWriter()
    writer.fixed(binding)
    writer.flag(isOurs)
    writer.flag(isAnswered)
    writer.flag(initiation != nil)
    if let initiation { initiation.encode(into: &writer) }
    return writer.bytes
  }

  func encode(into writer: inout SecretWriter) {
    writer.raw(header.raw)
    state.encode(into: &writer)
  }

  init(from reader: inout WireReader) throws(WireError) {
    binding = try reader.fixed()
    isOurs = try reader.flag()
    isAnswered = try reader.flag()
    initiation = try reader.flag() ? Initiation(from: &reader) : nil
    state = try RatchetState(from: &reader)
  }
}
