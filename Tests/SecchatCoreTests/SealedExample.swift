import SecchatCore
import SecchatCrypto
import TestSupport

/// Alice's first message to Bob, with everything that is random in it fixed.
enum SealedExample {
  /// The suite of messages, with one nonce.
  private enum Suite: RatchetSuite {
    static let rootInfo = MessageSuite.rootInfo
    static let nonce = [UInt8](repeating: 0x62, count: XChaChaPoly.nonceLength)

    static func seal(
      _ plaintext: RawSpan, with key: consuming MessageKey, authenticating data: RawSpan
    ) -> [UInt8] {
      var sealed = plaintext.array + [UInt8](repeating: 0, count: aeadTagLength)
      let key: AEADKey<XChaChaPoly> = key.take()
      do throws(CryptoError) {
        try sealed.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
          try key.seal(inPlace: &span, nonce: nonce.raw, authenticating: data)
        }
      } catch { preconditionFailure("the lengths are right") }
      return nonce + sealed
    }

    static func open(
      _ sealed: RawSpan, with key: borrowing MessageKey, authenticating data: RawSpan
    ) throws(CryptoError) -> SecretBytes {
      try MessageSuite.open(sealed, with: key, authenticating: data)
    }
  }

  static let alice = Party(Users.alice, account: Users.aliceAccount)
  static let bob = Party(Users.bob, account: Users.bobAccount)
  static let prekeys = PrekeySecrets(signed: Users.bobsSignedPrekeySecret, oneTime: Users.bobsOneTimePrekey)

  private static let ephemeral = must(
    try Shared(AgreementPrivateKey<InitiationPurpose>(SecretBytes(Users.bytes(0x60)))))
  private static let ratchet = must(
    try RatchetKeyPair(AgreementPrivateKey(SecretBytes(Users.bytes(0x61)))))

  /// A key that several use.
  private final class Shared: Sendable {
    let key: AgreementPrivateKey<InitiationPurpose>
    init(_ key: consuming AgreementPrivateKey<InitiationPurpose>) { self.key = key }
  }

  private static var root: RootKey {
    must(
      try X3DH.initiate(
        identity: Users.alice.messaging, ephemeral: ephemeral.key, theirIdentity: bob.messaging,
        signed: Users.bobsSignedPrekey.key, oneTime: Users.bobsOneTimePrekey.privateKey.publicKey))
  }

  static let initiation = Initiation(ephemeral: ephemeral.key.publicKey, signed: 1, oneTime: 2)
  static let binding = SessionBinding.of(initiator: alice, responder: bob, initiation: initiation)

  static let envelope: Envelope = {
    var state = RatchetState<Suite>(
      initiator: root, theirs: RatchetPublicKey(Users.bobsSignedPrekey.key.raw))
    let name = SessionBinding.name(binding)
    let made = try? state.seal(
      Messages.content.encoded.raw,
      authenticating: { Envelope.associated(binding, name, initiation, $0) }, makeKey: { ratchet })
    guard let (header, sealed) = made else { preconditionFailure("an initiator may send") }
    return Envelope(session: name, initiation: initiation, header: header, sealed: sealed)
  }()

  private static func encode(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.bytes
  }

  static func all() throws -> [String: [UInt8]] {
    let shared = try ratchet.privateKey.sharedSecret(with: Users.bobsSignedPrekey.key)
    return [
      "x3dh-root": root.bytesForTestingOnly(),
      "initiation": encode { initiation.encode(into: &$0) },
      "session-binding": binding.array,
      "message-key": root.firstMessageKeyForTestingOnly(shared, info: MessageSuite.rootInfo),
      "envelope": encode { envelope.encode(into: &$0) },
      "content": Messages.content.encoded,
    ]
  }
}
