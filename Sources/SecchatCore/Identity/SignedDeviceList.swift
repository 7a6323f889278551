package import SecchatCrypto

/// A device list whose signature by its own identity key has been checked: there is no other way to have one.
///
///     0  list        u16 length, a DeviceList
///     .  signature   64 bytes: the identity key over the list
///     .  continuity  u8: 0, or 1 and then
///     .    device    u32: a device of the previous list
///     .    signature 64 bytes: that device's signing key over the list
///
/// Two are the same where their lists are. The identity key signs nothing but the list: whoever passes it on can take the
/// continuity off or put another there, and what is signed once may be signed again. Neither makes another list of it.
package struct SignedDeviceList: Hashable, Sendable {
  /// What was signed.
  package let list: DeviceList
  /// The bytes as received or made, signatures included.
  package let encoded: [UInt8]
  /// The statement of a device of the previous list, not yet checked: see `isContinuous(after:)`.
  private let continuity: Continuity?
  private let signedBytes: [UInt8]

  private struct Continuity: Sendable {
    let device: UInt32
    let signature: SignatureBytes
  }

  package enum Failure: Error, Equatable, Sendable {
    case wire(WireError)
    case badSignature
  }

  /// The most bytes one may take.
  package static let maximumLength = 2 + 1 + 32 + 32 + 33 + 8 + 32 + 1 + 16 * 108 + 64 + 1 + 4 + 64

  /// Signs a list; `continuity` is a device of the previous list that vouches for the change.
  package init(
    signing list: DeviceList, with identity: borrowing SigningPrivateKey<IdentityPurpose>,
    continuity: (id: UInt32, sign: (SignatureLabel, [UInt8]) -> SignatureBytes)? = nil
  ) {
    let bytes = list.encoded
    var writer = WireWriter(capacity: bytes.count + 140)
    writer.vector16(bytes)
    writer.fixed(identity.sign(label: Labels.deviceList, message: bytes.raw))
    writer.flag(continuity != nil)
    var statement: Continuity?
    if let continuity {
      let signature = continuity.sign(Labels.continuity, bytes)
      writer.u32(continuity.id)
      writer.fixed(signature)
      statement = Continuity(device: continuity.id, signature: signature)
    }
    self.list = list
    self.continuity = statement
    signedBytes = bytes
    encoded = writer.bytes
  }

  /// Reads a list and checks the identity key's signature over the bytes received.
  package init(verifying bytes: RawSpan) throws(Failure) {
    let parts: Parts
    do throws(WireError) { parts = try Parts(bytes) } catch { throw .wire(error) }
    guard
      parts.list.identity.verifies(parts.signature, label: Labels.deviceList, message: parts.signedBytes.raw)
    else { throw .badSignature }
    list = parts.list
    signedBytes = parts.signedBytes
    continuity = parts.continuity
    encoded = bytes.array
  }

  /// The wire form, nothing checked.
  private struct Parts {
    let signedBytes: [UInt8]
    let signature: SignatureBytes
    let continuity: Continuity?
    let list: DeviceList

    init(_ bytes: RawSpan) throws(WireError) {
      var reader = WireReader(bytes)
      signedBytes = try reader.vector16(limit: SignedDeviceList.maximumLength).array
      signature = try reader.fixed()
      if try reader.flag() {
        continuity = Continuity(device: try reader.u32(), signature: try reader.fixed())
      } else {
        continuity = nil
      }
      try reader.end()
      list = try DeviceList(decoding: signedBytes)
    }
  }

  /// What the next list names as its previous one: of the bytes that the identity key signed.
  package var hash: FixedBytes<32> { BLAKE2b.hash256(signedBytes.raw) }

  package static func == (left: SignedDeviceList, right: SignedDeviceList) -> Bool {
    left.signedBytes == right.signedBytes
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(signedBytes) }

  /// Whether a device of `previous`, the list right before this one, vouched for the change.
  package func isContinuous(after previous: SignedDeviceList) -> Bool {
    guard let continuity, let device = previous.list.device(continuity.device), list.previous == previous.hash
    else { return false }
    return device.signing.verifies(
      continuity.signature, label: Labels.continuity, message: signedBytes.raw)
  }
}
