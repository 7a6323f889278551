import SecchatCore
import SecchatCrypto
import SecchatRegistry
import Testing

/// The secret keys of a made-up user, and what is registered of them.
struct User: Sendable {
  let name: UserName
  let secret: SecretIdentity

  init(_ name: String) throws {
    self.name = try #require(UserName(name))
    secret = try SecretIdentity.generate(now: 1_700_000_000)
  }

  func list(at registry: LinkPublicKey) throws -> SignedDeviceList {
    try #require(secret.firstDeviceList(for: Account(name: name, registry: registry)))
  }

  func account(at registry: LinkPublicKey) throws -> StoredAccount { StoredAccount(try list(at: registry)) }

  /// The next list after `previous`, with the same devices, or with `devices`; `continuous` has the first device vouch.
  func list(
    after previous: SignedDeviceList, devices: [Device]? = nil, continuous: Bool = false
  ) throws -> SignedDeviceList {
    let list = try #require(
      DeviceList(
        identity: secret.identity.publicKey, account: previous.list.account,
        version: previous.list.version + 1,
        previous: previous.hash, devices: devices ?? previous.list.devices))
    return SignedDeviceList(
      signing: list, with: secret.identity,
      continuity: continuous
        ? (id: 1, sign: { label, bytes in secret.signing.sign(label: label, message: bytes.raw) }) : nil)
  }
}
