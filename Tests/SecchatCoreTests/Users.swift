import SecchatCore
import SecchatCrypto
import TestSupport

/// What a test is sure of.
func must<Value>(_ make: @autoclosure () throws -> Value?) -> Value {
  do {
    guard let value = try make() else { preconditionFailure("a fixture that is none") }
    return value
  } catch { preconditionFailure("a fixture that failed: \(error)") }
}

/// Keys of repeated bytes, as `docs/protocol.md` lists them in appendix A.
enum Users {
  static let registryKeys = must(try LinkKeyPair(bytes: Users.bytes(0x21)))
  static let registry = registryKeys.publicKey

  static let alice = must(try secret(0x00, device: 1, created: 1_700_000_000))
  static let bob = must(try secret(0x10, device: 1, created: 1_700_000_001))

  static let aliceAccount = Account(name: must(UserName("alice")), registry: registry)
  static let bobAccount = Account(name: must(UserName("bob")), registry: registry)

  static let aliceList = must(alice.firstDeviceList(for: aliceAccount))
  static let bobList = must(bob.firstDeviceList(for: bobAccount))

  static let aliceSecondDevice = must(try secret(0x04, device: 2, created: 1_700_000_002)).publicDevice

  /// Alice's second list: another device, vouched for by the first.
  static let aliceSecondList = aliceNext(continuity: true)

  static func aliceNext(continuity: Bool, version: UInt64 = 2) -> SignedDeviceList {
    let list = must(
      DeviceList(
        identity: alice.identity.publicKey, account: aliceAccount, version: version, previous: aliceList.hash,
        devices: [alice.publicDevice, aliceSecondDevice]))
    return SignedDeviceList(
      signing: list, with: alice.identity,
      continuity: continuity
        ? (id: 1, sign: { label, bytes in alice.signing.sign(label: label, message: bytes.raw) }) : nil)
  }

  /// Keys of the bytes `base + 1` (identity) to `base + 5` (storage).
  static func secret(_ base: UInt8, device: UInt32, created: UInt64) throws -> SecretIdentity {
    SecretIdentity(
      identity: try SigningPrivateKey(seed: SecretBytes(bytes(base + 1))), device: device, created: created,
      link: try AgreementPrivateKey(SecretBytes(bytes(base + 2))),
      messaging: try AgreementPrivateKey(SecretBytes(bytes(base + 3))),
      signing: try SigningPrivateKey(seed: SecretBytes(bytes(base + 4))),
      storage: try AEADKey(SecretBytes(bytes(base + 5))))
  }

  /// Bob's prekeys: private keys 32 × `16` and 32 × `17`.
  static let bobsSignedPrekeySecret = must(
    try SignedPrekeySecret(AgreementPrivateKey(SecretBytes(bytes(0x16)))))
  static let bobsSignedPrekey = SignedPrekey(
    signing: bobsSignedPrekeySecret.privateKey.publicKey, id: 1, expires: 1_702_592_001, for: bobAccount,
    device: 1, with: bob.signing)
  static let bobsOneTimePrekey = must(try OneTimePrekeySecret(AgreementPrivateKey(SecretBytes(bytes(0x17)))))

  static func key(_ byte: UInt8) -> FixedBytes<32> { must(FixedBytes(bytes(byte))) }

  static func bytes(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }
}
