package import SecchatCrypto

/// What a receiver has of a transfer that was cut short.
///
///     0   item     u32: every item before it is on disk under its name
///     4   entries  u32: so many of this item it has, all of them whole but the last, where that is a file
///     8   offset   u64: bytes that it has of the last of these, where that is a file; else 0
///     16  digest   32 bytes: `HeldDigest` of them
package struct Held: Equatable, Sendable {
  package var item: UInt32
  package var entries: UInt32
  package var offset: UInt64
  package var digest: FixedBytes<32>

  package init(item: UInt32, entries: UInt32, offset: UInt64, digest: FixedBytes<32>) {
    self.item = item
    self.entries = entries
    self.offset = offset
    self.digest = digest
  }

  package init(from body: inout WireReader) throws(WireError) {
    item = try body.u32()
    entries = try body.u32()
    offset = try body.u64()
    digest = try body.fixed()
    guard item > 0 || entries > 0, entries > 0 || offset == 0 else { throw .malformed }
    guard entries <= Limits.offerEntries, item <= Limits.offerEntries else { throw .tooLong }
  }

  package func encode(into writer: inout WireWriter) {
    writer.u32(item)
    writer.u32(entries)
    writer.u64(offset)
    writer.fixed(digest)
  }
}

/// BLAKE2b-256 over what is held of an item: the label, and for each entry the ENTRY's body without its stream and the
/// bytes of the file.
package struct HeldDigest: ~Copyable {
  private var hasher = BLAKE2b.hasher256()

  package init() { hasher.update(Labels.prefix(Labels.heldItem)) }

  package mutating func begin(_ entry: Entry) {
    var writer = WireWriter(capacity: 64 + entry.path.utf8.count)
    entry.encodeFields(into: &writer)
    hasher.update(writer.bytes)
  }

  package mutating func update(_ bytes: RawSpan) { hasher.update(bytes) }

  package consuming func digest() -> FixedBytes<32> { hasher.digest256() }
}

/// RESUME answers an ACCEPT that holds entries of an item: whether the sender's are the same.
///
///     0  stream    u32
///     4  verified  u8: 1: what comes next is what follows on the held; 0: the item comes from its beginning
package struct Resume: WireMessage {
  package static let type = FrameType.resume
  package var stream: UInt32
  package var isVerified: Bool

  package init(stream: UInt32, isVerified: Bool) {
    self.stream = stream
    self.isVerified = isVerified
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    isVerified = try body.flag()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.flag(isVerified)
  }
}
