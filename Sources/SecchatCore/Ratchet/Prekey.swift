package import SecchatCrypto

package typealias SignedPrekeyKey = AgreementPublicKey<SignedPrekeyPurpose>
package typealias OneTimePrekeyKey = AgreementPublicKey<OneTimePrekeyPurpose>

/// A device's signed prekey (X3DH section 3.2) as it travels: not yet checked, see `PrekeyBundle`.
///
///     0    id         u32, not 0
///     4    expires    u64, Unix seconds
///     12   key        32 bytes, X25519
///     44   signature  64 bytes: the device's signing key over `statement`
package struct SignedPrekey: Hashable, Sendable {
  package let id: UInt32
  package let expires: UInt64
  package let key: SignedPrekeyKey
  package let signature: SignatureBytes

  package static let length = 108

  /// Signs a prekey as the device of an account.
  package init(
    signing key: SignedPrekeyKey, id: UInt32, expires: UInt64, for account: Account, device: UInt32,
    with signing: borrowing SigningPrivateKey<DevicePurpose>
  ) {
    self.id = id
    self.expires = expires
    self.key = key
    let statement = Self.statement(account, device, id, expires, key)
    signature = signing.sign(label: Labels.signedPrekey, message: statement.raw)
  }

  package init(from reader: inout WireReader) throws(WireError) {
    id = try reader.u32()
    guard id != 0 else { throw .malformed }
    expires = try reader.u64()
    key = SignedPrekeyKey(try reader.fixed())
    signature = try reader.fixed()
  }

  package func encode(into writer: inout WireWriter) {
    writer.u32(id)
    writer.u64(expires)
    writer.fixed(key.raw)
    writer.fixed(signature)
  }

  /// Whether the device of that account has signed it.
  package func isSigned(by device: Device, of account: Account) -> Bool {
    let statement = Self.statement(account, device.id, id, expires, key)
    return device.signing.verifies(signature, label: Labels.signedPrekey, message: statement.raw)
  }

  /// What the device signs under `Labels.signedPrekey`.
  ///
  ///     0   account  32 bytes registry key, u8 length, name
  ///     .   device   u32
  ///     .   id       u32
  ///     .   expires  u64
  ///     .   key      32 bytes
  package static func statement(
    _ account: Account, _ device: UInt32, _ id: UInt32, _ expires: UInt64, _ key: SignedPrekeyKey
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    account.encode(into: &writer)
    writer.u32(device)
    writer.u32(id)
    writer.u64(expires)
    writer.fixed(key.raw)
    return writer.bytes
  }
}

/// A prekey that one initiator uses once (X3DH section 3.2). Not signed: a registry that exchanges it makes an initiation
/// fail, which it could do anyway.
///
///     0  id   u32, not 0
///     4  key  32 bytes, X25519
package struct OneTimePrekey: Hashable, Sendable {
  package let id: UInt32
  package let key: OneTimePrekeyKey

  package static let length = 36

  package init(id: UInt32, key: OneTimePrekeyKey) {
    self.id = id
    self.key = key
  }

  package init(from reader: inout WireReader) throws(WireError) {
    id = try reader.u32()
    guard id != 0 else { throw .malformed }
    key = OneTimePrekeyKey(try reader.fixed())
  }

  package func encode(into writer: inout WireWriter) {
    writer.u32(id)
    writer.fixed(key.raw)
  }
}

/// What an initiator needs of a device, as it travels in BUNDLE and PREKEYS: a claim until `PrekeyBundle` has checked it.
///
///     0    signed    108 bytes, a SignedPrekey
///     108  one-time  u8: 0, or 1 and 36 bytes
///     .    kem       u8: 0. Reserved for the key of a second, post-quantum agreement
package struct PrekeyOffer: Hashable, Sendable {
  package let signed: SignedPrekey
  package let oneTime: OneTimePrekey?

  package init(signed: SignedPrekey, oneTime: OneTimePrekey?) {
    self.signed = signed
    self.oneTime = oneTime
  }

  package init(from reader: inout WireReader) throws(WireError) {
    signed = try SignedPrekey(from: &reader)
    oneTime = try reader.flag() ? OneTimePrekey(from: &reader) : nil
    guard try reader.u8() == 0 else { throw .malformed }
  }

  package func encode(into writer: inout WireWriter) {
    signed.encode(into: &writer)
    writer.flag(oneTime != nil)
    if let oneTime { oneTime.encode(into: &writer) }
    writer.u8(0)
  }
}

/// A device's prekeys whose signature and life have been checked against its account's device list: there is no other
/// way to have one.
package struct PrekeyBundle: Hashable, Sendable {
  package let account: Account
  package let identity: IdentityPublicKey
  package let device: Device
  package let signed: SignedPrekey
  package let oneTime: OneTimePrekey?

  package enum Failure: Error, Equatable, Sendable {
    /// The list does not have the device.
    case unknownDevice
    case badSignature
    case expired
  }

  /// - Parameters:
  ///   - list: the account's list that the caller trusts.
  ///   - now: Unix seconds.
  package init(
    verifying offer: PrekeyOffer, of device: UInt32, on list: DeviceList, now: UInt64
  ) throws(Failure) {
    guard let device = list.device(device) else { throw .unknownDevice }
    guard offer.signed.isSigned(by: device, of: list.account) else { throw .badSignature }
    guard offer.signed.expires > now else { throw .expired }
    account = list.account
    identity = list.identity
    self.device = device
    signed = offer.signed
    oneTime = offer.oneTime
  }
}
