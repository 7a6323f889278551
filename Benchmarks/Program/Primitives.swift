import SecchatCrypto

/// What the cryptography costs on one core as the programs call it, in blocks of 64 KiB.
func primitives(seconds: Double) throws {
  let keys = try Keys()
  let (sealed, opened) = try keys.sealAndOpen(seconds: seconds)
  report("chacha20poly1305_seal", sealed, "MB/s")
  report("chacha20poly1305_open", opened, "MB/s")
  report("x25519", try rate(seconds: seconds) { try keys.agree() }, "ops/s")
  report("x25519_base", try rate(seconds: seconds) { try keys.generate() }, "ops/s")
  report("ed25519_sign", rate(seconds: seconds) { keys.sign() }, "ops/s")
  report("ed25519_verify", rate(seconds: seconds) { keys.verify() }, "ops/s")
}

/// Keys of every kind, and what is done with them.
final class Keys {
  private let sealing = AEADKey<ChaChaPoly>.random()
  private let agreement: AgreementPrivateKey<EphemeralPurpose>
  private let other: AgreementPublicKey<EphemeralPurpose>
  private let signing: SigningPrivateKey<IdentityPurpose>
  private let message = [UInt8](repeating: 1, count: 128)
  private let signature: SignatureBytes

  init() throws {
    agreement = try .random()
    other = try AgreementPrivateKey<EphemeralPurpose>.random().publicKey
    signing = try .random()
    let message = message
    signature = signing.signBare(message.raw)
  }

  /// MB/s of sealing and of opening; in turn, since an opened block is one that can be sealed again.
  func sealAndOpen(seconds: Double) throws -> (Double, Double) {
    let size = 65_536
    let nonce = FixedBytes<12>()
    var block = [UInt8](repeating: 7, count: size + aeadTagLength)
    var (sealed, opened, count) = (0.0, 0.0, 0.0)
    while sealed + opened < seconds * 2 {
      var span = block.mutableSpan
      var bytes = unsafe span.mutableBytes
      let begun = now()
      try sealing.seal(inPlace: &bytes, nonce: nonce.bytes, authenticating: RawSpan())
      let half = now()
      try sealing.open(inPlace: &bytes, nonce: nonce.bytes, authenticating: RawSpan())
      opened += now() - half
      sealed += half - begun
      count += 1
    }
    return (count * Double(size) / 1e6 / sealed, count * Double(size) / 1e6 / opened)
  }

  func agree() throws { _ = try agreement.sharedSecret(with: other) }
  func generate() throws { _ = try AgreementPrivateKey<EphemeralPurpose>.random() }
  func sign() {
    let message = message
    _ = signing.signBare(message.raw)
  }
  func verify() {
    let message = message
    _ = signing.publicKey.verifiesBare(signature, message: message.raw)
  }
}
