package import SecchatCrypto

/// One end of a ratchet session: a device, and whose it is.
package struct Party: Hashable, Sendable {
  package let account: Account
  package let identity: IdentityPublicKey
  package let device: UInt32
  package let messaging: MessagingPublicKey

  package init(account: Account, identity: IdentityPublicKey, device: UInt32, messaging: MessagingPublicKey) {
    self.account = account
    self.identity = identity
    self.device = device
    self.messaging = messaging
  }

  /// The device of a list that the caller trusts; nil where the list does not have it.
  package init?(_ device: UInt32, on list: DeviceList) {
    guard let device = list.device(device) else { return nil }
    self.init(
      account: list.account, identity: list.identity, device: device.id, messaging: device.messaging)
  }

  /// One's own device.
  package init(_ secret: SecretIdentity, account: Account) {
    self.init(
      account: account, identity: secret.identity.publicKey, device: secret.device,
      messaging: secret.messaging.publicKey)
  }

  package init(from reader: inout WireReader) throws(WireError) {
    account = try Account(from: &reader)
    identity = IdentityPublicKey(try reader.fixed())
    device = try reader.u32()
    messaging = MessagingPublicKey(try reader.fixed())
  }

  package func encode(into writer: inout WireWriter) {
    account.encode(into: &writer)
    writer.fixed(identity.raw)
    writer.u32(device)
    writer.fixed(messaging.raw)
  }
}

/// What both sides of a session know of how it began, and what its messages are bound to.
package enum SessionBinding {
  /// 32 bytes: `hash("secchat ratchet session v1", version ‖ initiator ‖ responder ‖ initiation)`. The first 16 name the
  /// session; all of them are authenticated with each of its messages.
  package static func of(initiator: Party, responder: Party, initiation: Initiation) -> FixedBytes<32> {
    var writer = WireWriter(capacity: 384)
    writer.raw(Labels.prefix(Labels.ratchetSession))
    writer.u8(Envelope.version)
    initiator.encode(into: &writer)
    responder.encode(into: &writer)
    initiation.encode(into: &writer)
    return BLAKE2b.hash256(writer.bytes.raw)
  }

  /// The name of the session.
  package static func name(_ binding: FixedBytes<32>) -> SessionID {
    FixedBytes { $0.copy(from: binding.bytes.extracting(first: 16)) }
  }
}

package typealias SessionID = FixedBytes<16>
