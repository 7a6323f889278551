package import SecchatCrypto

/// FETCH asks for the prekeys of one device, with which a first message to it can be sealed while it is away.
///
///     0  request  u32
///     4  name     u8 length, 3-32 bytes
///     .  device   u32
///     .  reset    u8: 0, or 1 and a Reset
package struct Fetch: WireMessage, Numbered {
  package static let type = FrameType.fetch
  package var request: UInt32
  package var name: UserName
  package var device: UInt32
  package var reset: Reset?

  package init(request: UInt32, name: UserName, device: UInt32, reset: Reset? = nil) {
    self.request = request
    self.name = name
    self.device = device
    self.reset = reset
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    name = try UserName(from: &body)
    device = try body.u32()
    reset = try body.flag() ? Reset(from: &body) : nil
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    name.encode(into: &writer)
    writer.u32(device)
    writer.flag(reset != nil)
    if let reset { reset.encode(into: &writer) }
  }

  /// The one-time prekey that the asker was given does not work: it wants another.
  ///
  ///     0  failed     u32: its id, not 0
  ///     4  signature  64 bytes: the asking device's signing key over `statement`
  package struct Reset: Equatable, Sendable {
    package let failed: UInt32
    package let signature: SignatureBytes

    package init(failed: UInt32, signature: SignatureBytes) {
      self.failed = failed
      self.signature = signature
    }

    /// Signs a reset for the link of that handshake hash; the account and device are those that are asked for.
    package init(
      signing failed: UInt32, handshakeHash: [UInt8], account: Account, device: UInt32,
      with signing: borrowing SigningPrivateKey<DevicePurpose>
    ) {
      self.failed = failed
      let statement = Self.statement(handshakeHash, account, device, failed)
      signature = signing.sign(label: Labels.prekeyReset, message: statement.raw)
    }

    init(from reader: inout WireReader) throws(WireError) {
      failed = try reader.u32()
      guard failed != 0 else { throw .malformed }
      signature = try reader.fixed()
    }

    func encode(into writer: inout WireWriter) {
      writer.u32(failed)
      writer.fixed(signature)
    }

    /// Whether `asker` has signed it for the link of that handshake hash.
    package func isSigned(
      by asker: Device, handshakeHash: [UInt8], account: Account, device: UInt32
    ) -> Bool {
      let statement = Self.statement(handshakeHash, account, device, failed)
      return asker.signing.verifies(signature, label: Labels.prekeyReset, message: statement.raw)
    }

    /// What the asking device signs under `Labels.prekeyReset`: it holds on this one link.
    ///
    ///     0   handshake hash  32 bytes
    ///     32  account         32 bytes registry key, u8 length, name: whose prekeys are asked for
    ///     .   device          u32
    ///     .   failed          u32
    package static func statement(
      _ handshakeHash: [UInt8], _ account: Account, _ device: UInt32, _ failed: UInt32
    ) -> [UInt8] {
      var writer = WireWriter(capacity: 112)
      writer.raw(handshakeHash)
      account.encode(into: &writer)
      writer.u32(device)
      writer.u32(failed)
      return writer.bytes
    }
  }
}

/// BUNDLE answers FETCH. What it says is a claim until a `PrekeyBundle` has checked it.
///
///     0  request  u32
///     4  offer    a PrekeyOffer
package struct Bundle: WireMessage, Numbered {
  package static let type = FrameType.bundle
  package var request: UInt32
  package var offer: PrekeyOffer

  package init(request: UInt32, offer: PrekeyOffer) {
    self.request = request
    self.offer = offer
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    offer = try PrekeyOffer(from: &body)
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    offer.encode(into: &writer)
  }
}
