internal import SecchatCrypto

/// How a state is kept between two starts of a program; always sealed. Never on a wire.
///
///     root     32
///     ours     u8: 0, or 1 and 32 bytes, the private key
///     theirs   u8: 0, or 1 and 32 bytes
///     sending  u8: 0, or 1 and 32 bytes, u32 next
///     previous u32
///     chains   u8, each: theirs 32; key u8: 0, or 1 and 32 bytes; next u32; skipped u16, each: u32, 32 bytes
extension RatchetState {
  var encodedLength: Int {
    let optional = (ours == nil ? 0 : 32) + (theirs == nil ? 0 : 32) + (sending == nil ? 0 : 36)
    let chains = receiving.reduce(0) { $0 + 39 + ($1.key == nil ? 0 : 32) + 36 * $1.skipped.count }
    return 32 + 3 + optional + 4 + 1 + chains
  }

  func encode(into writer: inout SecretWriter) {
    root.export(into: &writer)
    writer.wire { $0.flag(ours != nil) }
    if let ours { writer.privateKey(ours.privateKey) }
    writer.wire {
      $0.flag(theirs != nil)
      if let theirs { $0.fixed(theirs.raw) }
      $0.flag(sending != nil)
    }
    if let sending {
      sending.key.export(into: &writer)
      writer.wire { $0.u32(sending.next) }
    }
    writer.wire {
      $0.u32(previous)
      $0.u8(UInt8(receiving.count))
    }
    for chain in receiving { chain.encode(into: &writer) }
  }

  package init(from reader: inout WireReader) throws(WireError) {
    self.init(restoring: RootKey(SecretBytes(copying: try reader.take(32))))
    if try reader.flag() { ours = RatchetKeyPair(try reader.privateKey()) }
    theirs = try reader.flag() ? RatchetPublicKey(reader.fixed()) : nil
    if try reader.flag() {
      sending = SendingChain(key: ChainKey(SecretBytes(copying: try reader.take(32))), next: try reader.u32())
    }
    previous = try reader.u32()
    let count = Int(try reader.u8())
    guard count <= RatchetLimits.chains else { throw .tooLong }
    for _ in 0..<count { receiving.append(try ReceivingChain(from: &reader)) }
  }
}

extension ReceivingChain {
  fileprivate func encode(into writer: inout SecretWriter) {
    writer.wire {
      $0.fixed(theirs.raw)
      $0.flag(key != nil)
    }
    if let key { key.export(into: &writer) }
    writer.wire {
      $0.u32(next)
      $0.u16(UInt16(skipped.count))
    }
    for one in skipped {
      writer.wire { $0.u32(one.number) }
      one.key.export(into: &writer)
    }
  }

  fileprivate init(from reader: inout WireReader) throws(WireError) {
    let theirs = RatchetPublicKey(try reader.fixed())
    let key = try reader.flag() ? ChainKey(SecretBytes(copying: reader.take(32))) : nil
    let next = try reader.u32()
    let count = Int(try reader.u16())
    guard count <= RatchetLimits.skipped else { throw .tooLong }
    var skipped: [SkippedKey] = []
    for _ in 0..<count {
      let number = try reader.u32()
      skipped.append(
        SkippedKey(number: number, key: MessageKey(SecretBytes(copying: try reader.take(32)))))
    }
    self.init(theirs: theirs, key: key, next: next, skipped: skipped)
  }
}
