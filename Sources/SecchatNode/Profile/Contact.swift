internal import SecchatCore
internal import SecchatCrypto

/// A peer whose keys are pinned.
struct Contact: Equatable, Sendable {
  let account: Account
  /// The last device list accepted: what every later one is judged by.
  var pinned: SignedDeviceList
  var isVerified = false
  /// Another identity key that was offered and not accepted: nothing is sent until the user trusts it by fingerprint.
  var offered: SignedDeviceList?
  /// Where the peer was last reached, for when the registry is down.
  var address: NetworkAddress?

  var name: UserName { account.name }
  var fingerprint: Fingerprint { Fingerprint(of: pinned.list.identity) }

  init(account: Account, pinned: SignedDeviceList) {
    self.account = account
    self.pinned = pinned
  }

  var encoded: [UInt8] {
    var writer = WireWriter(capacity: 512)
    account.encode(into: &writer)
    writer.vector16(pinned.encoded)
    writer.flag(isVerified)
    writer.flag(offered != nil)
    if let offered { writer.vector16(offered.encoded) }
    NetworkAddress.encode(address, into: &writer)
    return writer.bytes
  }

  /// Nil for bytes that `encoded` did not write.
  init?(decoding bytes: [UInt8]) {
    func list(_ reader: inout WireReader) throws -> SignedDeviceList {
      try SignedDeviceList(verifying: reader.vector16(limit: SignedDeviceList.maximumLength))
    }
    do {
      var reader = WireReader(bytes.raw)
      account = try Account(from: &reader)
      pinned = try list(&reader)
      isVerified = try reader.flag()
      offered = try reader.flag() ? list(&reader) : nil
      address = try NetworkAddress.optional(from: &reader)
      try reader.end()
    } catch { return nil }
  }
}
