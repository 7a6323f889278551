internal import SecchatCrypto

/// HELLO is the payload of the second and of the third handshake message between peers: who speaks, from which device.
/// The payload of the first is empty.
///
///     0  device  u32
///     4  list    u16 length, a signed device list; it names the account
package struct Hello: Equatable, Sendable {
  package let device: UInt32
  package let list: SignedDeviceList

  package init(device: UInt32, list: SignedDeviceList) {
    self.device = device
    self.list = list
  }

  /// Reads a payload; the list's signature is checked, what the list means is not.
  package init(decoding payload: RawSpan) throws(SignedDeviceList.Failure) {
    var reader = WireReader(payload)
    let bytes: [UInt8]
    do throws(WireError) {
      device = try reader.u32()
      bytes = try reader.vector16(limit: SignedDeviceList.maximumLength).array
      try reader.end()
    } catch { throw .wire(error) }
    list = try SignedDeviceList(verifying: bytes.raw)
  }

  package var encoded: [UInt8] {
    var writer = WireWriter(capacity: 512)
    writer.u32(device)
    writer.vector16(list.encoded)
    return writer.bytes
  }

  /// Whether the list has the device and `proved`, the key that the handshake proved, is that device's link key.
  package func speaks(for proved: LinkPublicKey) -> Bool { list.list.device(device)?.link == proved }
}
