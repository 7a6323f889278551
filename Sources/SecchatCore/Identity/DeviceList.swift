package import SecchatCrypto

/// A device of a user: three keys, each for one purpose and nothing else.
///
///     0    id         u32
///     4    link       32 bytes, X25519: Noise
///     36   messaging  32 bytes, X25519: X3DH
///     68   signing    32 bytes, Ed25519: vouches for the next list
///     100  created    u64, Unix seconds
package struct Device: Hashable, Sendable {
  package let id: UInt32
  package let link: LinkPublicKey
  package let messaging: MessagingPublicKey
  package let signing: DeviceSigningKey
  package let created: UInt64

  package init(
    id: UInt32, link: LinkPublicKey, messaging: MessagingPublicKey, signing: DeviceSigningKey, created: UInt64
  ) {
    self.id = id
    self.link = link
    self.messaging = messaging
    self.signing = signing
    self.created = created
  }

  init(from reader: inout WireReader) throws(WireError) {
    id = try reader.u32()
    link = LinkPublicKey(try reader.fixed())
    messaging = MessagingPublicKey(try reader.fixed())
    signing = DeviceSigningKey(try reader.fixed())
    created = try reader.u64()
  }

  func encode(into writer: inout WireWriter) {
    writer.u32(id)
    writer.fixed(link.raw)
    writer.fixed(messaging.raw)
    writer.fixed(signing.raw)
    writer.u64(created)
  }
}

/// Which devices speak for an account: what the identity key signs.
///
///     0   format    u8, 1
///     1   identity  32 bytes, Ed25519
///     33  account   32 bytes registry key, u8 length, name
///     .   version   u64, 1 for the first list
///     .   previous  32 bytes, BLAKE2b of the list before; zeros for the first
///     .   count     u8, 1-16
///     .   devices   108 bytes each, ids ascending
package struct DeviceList: Hashable, Sendable {
  package let identity: IdentityPublicKey
  package let account: Account
  package let version: UInt64
  package let previous: FixedBytes<32>
  package let devices: [Device]

  private static let format: UInt8 = 1

  /// - Returns: nil for no or too many devices, or for ids that do not ascend.
  package init?(
    identity: IdentityPublicKey, account: Account, version: UInt64, previous: FixedBytes<32>,
    devices: [Device]
  ) {
    guard Limits.devices.contains(devices.count), version > 0,
      zip(devices, devices.dropFirst()).allSatisfy({ $0.id < $1.id })
    else { return nil }
    self.identity = identity
    self.account = account
    self.version = version
    self.previous = previous
    self.devices = devices
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.raw)
    guard try reader.u8() == Self.format else { throw .malformed }
    let identity = IdentityPublicKey(try reader.fixed())
    let account = try Account(from: &reader)
    let version = try reader.u64()
    let previous: FixedBytes<32> = try reader.fixed()
    let count = Int(try reader.u8())
    guard Limits.devices.contains(count) else { throw .tooLong }
    var devices: [Device] = []
    for _ in 0..<count { devices.append(try Device(from: &reader)) }
    try reader.end()
    guard
      let list = DeviceList(
        identity: identity, account: account, version: version, previous: previous, devices: devices)
    else { throw .malformed }
    self = list
  }

  package var encoded: [UInt8] {
    var writer = WireWriter(capacity: 256)
    writer.u8(Self.format)
    writer.fixed(identity.raw)
    account.encode(into: &writer)
    writer.u64(version)
    writer.fixed(previous)
    writer.u8(UInt8(devices.count))
    for device in devices { device.encode(into: &writer) }
    return writer.bytes
  }

  /// The device of that id.
  package func device(_ id: UInt32) -> Device? { devices.first { $0.id == id } }
}
