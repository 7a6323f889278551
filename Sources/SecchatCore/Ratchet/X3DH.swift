package import SecchatCrypto

/// The key agreement that begins a session (X3DH, revision 1, section 3): both sides compute the same root key.
package enum X3DH {
  /// `info` of the KDF.
  package static let info = Labels.prefix(Labels.x3dh)

  /// The initiator's computation.
  ///
  /// - Throws: `authenticationFailed` for a key of small order.
  package static func initiate(
    identity: borrowing AgreementPrivateKey<MessagingPurpose>,
    ephemeral: borrowing AgreementPrivateKey<InitiationPurpose>,
    theirIdentity: MessagingPublicKey, signed: SignedPrekeyKey, oneTime: OneTimePrekeyKey?,
    info: [UInt8] = info
  ) throws(CryptoError) -> RootKey {
    var input = Input(oneTime == nil ? 3 : 4)
    input.append(try identity.sharedSecret(with: signed))
    input.append(try ephemeral.sharedSecret(with: theirIdentity))
    input.append(try ephemeral.sharedSecret(with: signed))
    if let oneTime { input.append(try ephemeral.sharedSecret(with: oneTime)) }
    return input.rootKey(info)
  }

  /// The responder's computation.
  ///
  /// - Throws: `authenticationFailed` for a key of small order.
  package static func respond(
    identity: borrowing AgreementPrivateKey<MessagingPurpose>, prekeys: PrekeySecrets,
    theirIdentity: MessagingPublicKey, ephemeral: InitiationPublicKey, info: [UInt8] = info
  ) throws(CryptoError) -> RootKey {
    var input = Input(prekeys.oneTime == nil ? 3 : 4)
    input.append(try prekeys.signed.privateKey.sharedSecret(with: theirIdentity))
    input.append(try identity.sharedSecret(with: ephemeral))
    input.append(try prekeys.signed.privateKey.sharedSecret(with: ephemeral))
    if let oneTime = prekeys.oneTime { input.append(try oneTime.privateKey.sharedSecret(with: ephemeral)) }
    return input.rootKey(info)
  }

  /// KDF(DH1 ‖ DH2 ‖ DH3 [‖ DH4]): HKDF-SHA256 with a salt of zeros, after 32 bytes of FF.
  private struct Input: ~Copyable {
    private var bytes: SecretBytes
    private var used = 32

    init(_ agreements: Int) {
      bytes = SecretBytes(count: 32 * (1 + agreements)) { span in
        for index in 0..<32 { span.storeBytes(of: 0xff, toByteOffset: index, as: UInt8.self) }
      }
    }

    mutating func append(_ output: consuming SecretBytes) {
      let offset = used
      used += 32
      var span = bytes.mutableBytes
      span.copy(from: output.bytes, at: offset)
    }

    consuming func rootKey(_ info: [UInt8]) -> RootKey {
      let salt = FixedBytes<32>()
      do throws(CryptoError) {
        return RootKey(
          try HKDF<SHA256>.derive(
            inputKeyMaterial: bytes.bytes, salt: salt.bytes, info: info.raw, count: RootKey.length))
      } catch { preconditionFailure("one key is within HKDF's limit") }
    }
  }
}

package typealias InitiationPublicKey = AgreementPublicKey<InitiationPurpose>

/// The private halves of the prekeys that an initiation names.
package struct PrekeySecrets: Sendable {
  package let signed: SignedPrekeySecret
  package let oneTime: OneTimePrekeySecret?

  package init(signed: SignedPrekeySecret, oneTime: OneTimePrekeySecret?) {
    self.signed = signed
    self.oneTime = oneTime
  }
}

/// The private half of a signed prekey. Shared: many initiations use it.
package final class SignedPrekeySecret: Sendable {
  package let privateKey: AgreementPrivateKey<SignedPrekeyPurpose>

  package init(_ privateKey: consuming AgreementPrivateKey<SignedPrekeyPurpose>) {
    self.privateKey = privateKey
  }

  /// The same key as the responder's first ratchet key (Double Ratchet, section 5.1 of X3DH's integration).
  var ratchetKeyPair: RatchetKeyPair { RatchetKeyPair(privateKey.duplicate()) }
}

/// The private half of a one-time prekey. Whoever keeps it lets it go after its one use.
package final class OneTimePrekeySecret: Sendable {
  package let privateKey: AgreementPrivateKey<OneTimePrekeyPurpose>

  package init(_ privateKey: consuming AgreementPrivateKey<OneTimePrekeyPurpose>) {
    self.privateKey = privateKey
  }
}
