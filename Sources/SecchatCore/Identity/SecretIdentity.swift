package import SecchatCrypto

/// A user's private keys: the identity, and this device's three. Shared by reference, since several handshakes run at
/// once; the keys are wiped when the last holder lets go.
package final class SecretIdentity: Sendable {
  package let identity: SigningPrivateKey<IdentityPurpose>
  package let device: UInt32
  package let created: UInt64
  package let link: LinkKeyPair
  package let messaging: AgreementPrivateKey<MessagingPurpose>
  package let signing: SigningPrivateKey<DevicePurpose>
  /// Seals what the profile keeps in its database.
  package let storage: AEADKey<XChaChaPoly>

  package init(
    identity: consuming SigningPrivateKey<IdentityPurpose>, device: UInt32, created: UInt64,
    link: consuming AgreementPrivateKey<LinkPurpose>,
    messaging: consuming AgreementPrivateKey<MessagingPurpose>,
    signing: consuming SigningPrivateKey<DevicePurpose>, storage: consuming AEADKey<XChaChaPoly>
  ) {
    self.identity = identity
    self.device = device
    self.created = created
    self.link = LinkKeyPair(link)
    self.messaging = messaging
    self.signing = signing
    self.storage = storage
  }

  /// A new identity with its first device, of id 1. `now` is in Unix seconds.
  package static func generate(now: UInt64) throws(CryptoError) -> SecretIdentity {
    SecretIdentity(
      identity: try .random(in: .guarded), device: 1, created: now,
      link: try .random(in: .guarded), messaging: try .random(in: .guarded),
      signing: try .random(in: .guarded), storage: .random(in: .guarded))
  }

  /// This device as a device list names it.
  package var publicDevice: Device {
    Device(
      id: device, link: link.publicKey, messaging: messaging.publicKey, signing: signing.publicKey,
      created: created)
  }

  /// The first device list of an account: this device alone.
  package func firstDeviceList(for account: Account) -> SignedDeviceList? {
    guard
      let list = DeviceList(
        identity: identity.publicKey, account: account, version: 1, previous: FixedBytes(),
        devices: [publicDevice])
    else { return nil }
    return SignedDeviceList(signing: list, with: identity)
  }
}
