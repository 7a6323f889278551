/// PUBLISH brings a device's prekeys, reports used ones, or, with nothing in it, asks how many are left.
///
///     0  request  u32
///     4  replace  u8: 1 where all that the registry has of this device's prekeys is dropped first
///     5  signed   u8: 0, or 1 and 108 bytes, a SignedPrekey
///     .  used     u8 count, at most 100; u32 each: ids of one-time prekeys, not 0, strictly ascending
///     .  keys     u8 count, at most 100; 36 bytes each, OneTimePrekey, ids strictly ascending
package struct Publish: WireMessage, Numbered {
  package static let type = FrameType.publish
  package var request: UInt32
  package var replace: Bool
  package var signed: SignedPrekey?
  package var used: [UInt32]
  package var keys: [OneTimePrekey]

  package init(
    request: UInt32, replace: Bool = false, signed: SignedPrekey? = nil, used: [UInt32] = [],
    keys: [OneTimePrekey] = []
  ) {
    self.request = request
    self.replace = replace
    self.signed = signed
    self.used = used
    self.keys = keys
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    replace = try body.flag()
    signed = try body.flag() ? SignedPrekey(from: &body) : nil
    used = []
    for _ in 0..<(try Self.count(&body)) {
      let id = try body.u32()
      guard id > used.last ?? 0 else { throw .malformed }
      used.append(id)
    }
    keys = []
    for _ in 0..<(try Self.count(&body)) {
      let key = try OneTimePrekey(from: &body)
      guard key.id > keys.last?.id ?? 0 else { throw .malformed }
      keys.append(key)
    }
  }

  private static func count(_ body: inout WireReader) throws(WireError) -> Int {
    let count = Int(try body.u8())
    guard count <= Limits.oneTimePrekeys else { throw .tooLong }
    return count
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.flag(replace)
    writer.flag(signed != nil)
    if let signed { signed.encode(into: &writer) }
    writer.u8(UInt8(used.count))
    for id in used { writer.u32(id) }
    writer.u8(UInt8(keys.count))
    for key in keys { key.encode(into: &writer) }
  }
}

/// PUBLISHED answers PUBLISH with what the registry then has of the device.
///
///     0  request  u32
///     4  signed   u32: the signed prekey's id; 0: none
///     8  left     u16: one-time prekeys not handed out
package struct Published: WireMessage, Numbered {
  package static let type = FrameType.published
  package var request: UInt32
  package var signed: UInt32
  package var left: UInt16

  package init(request: UInt32, signed: UInt32, left: UInt16) {
    self.request = request
    self.signed = signed
    self.left = left
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    signed = try body.u32()
    left = try body.u16()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.u32(signed)
    writer.u16(left)
  }
}

/// STOCK tells an owner that few of its one-time prekeys are left. Sent unasked.
///
///     0  left  u16: one-time prekeys not handed out
package struct Stock: WireMessage {
  package static let type = FrameType.stock
  package var left: UInt16
  package init(left: UInt16) { self.left = left }
  package init(body: inout WireReader) throws(WireError) { left = try body.u16() }
  package func encodeBody(into writer: inout WireWriter) { writer.u16(left) }
}
