package import SecchatCrypto

/// OFFER proposes files and folders.
///
///     0   stream   u32: odd from the link's initiator, even from its responder; never used twice on a link
///     4   id       16 bytes, random; once more with the same offer: the transfer is to go on
///     20  items    u32: what the user named, 1 or more
///     24  entries  u32: files and folders in all, at most 1000000
///     28  bytes    u64: sum of the files' sizes
///     36  name     u16 length, UTF-8, at most 255 bytes: of the first item
package struct Offer: WireMessage {
  package static let type = FrameType.offer
  package var stream: UInt32
  package var id: MessageID
  package var items: UInt32
  package var entries: UInt32
  package var bytes: UInt64
  package var name: String

  package init(stream: UInt32, id: MessageID, items: UInt32, entries: UInt32, bytes: UInt64, name: String) {
    self.stream = stream
    self.id = id
    self.items = items
    self.entries = entries
    self.bytes = bytes
    self.name = name
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    id = try body.fixed()
    items = try body.u32()
    entries = try body.u32()
    bytes = try body.u64()
    name = try body.text16(limit: Limits.pathComponent)
    guard stream > 0, items > 0, items <= entries else { throw .malformed }
    guard entries <= Limits.offerEntries else { throw .tooLong }
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.fixed(id)
    writer.u32(items)
    writer.u32(entries)
    writer.u64(bytes)
    writer.text16(name)
  }
}

/// ACCEPT takes an offer. A READY for the stream follows or came before.
///
///     0  stream  u32
///     4  held    u8: 0, or 1 and what the receiver has of it (`Held`)
package struct Accept: WireMessage {
  package static let type = FrameType.accept
  package var stream: UInt32
  package var held: Held?

  package init(stream: UInt32, held: Held? = nil) {
    self.stream = stream
    self.held = held
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    held = try body.flag() ? Held(from: &body) : nil
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.flag(held != nil)
    held?.encode(into: &writer)
  }
}

/// ENTRY begins a file, or names a folder. The entries of an item come together, a folder before what is in it.
///
///     0   stream    u32
///     4   item      u32: counted from 0
///     8   kind      u8: 1 file, 2 folder
///     9   mode      u8: 1 where the owner may execute a file, else 0
///     10  modified  u64, Unix seconds
///     18  size      u64: of a file; 0 for a folder
///     26  path      u16 length, UTF-8: components joined by "/", the first the item's name
package struct Entry: WireMessage {
  package static let type = FrameType.entry

  package enum Kind: UInt8, Sendable {
    case file = 1
    case folder = 2
  }

  package var stream: UInt32
  package var item: UInt32
  package var kind: Kind
  package var executable: Bool
  package var modified: UInt64
  package var size: UInt64
  package var path: String

  package init(
    stream: UInt32, item: UInt32, kind: Kind, executable: Bool, modified: UInt64, size: UInt64, path: String
  ) {
    self.stream = stream
    self.item = item
    self.kind = kind
    self.executable = executable
    self.modified = modified
    self.size = size
    self.path = path
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    item = try body.u32()
    guard let kind = Kind(rawValue: try body.u8()) else { throw .malformed }
    self.kind = kind
    executable = try body.flag()
    modified = try body.u64()
    size = try body.u64()
    path = try body.text16(limit: Limits.path)
    guard kind == .file || (size == 0 && !executable) else { throw .malformed }
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    encodeFields(into: &writer)
  }

  /// All but the stream, which differs from link to link.
  package func encodeFields(into writer: inout WireWriter) {
    writer.u32(item)
    writer.u8(kind.rawValue)
    writer.flag(executable)
    writer.u64(modified)
    writer.u64(size)
    writer.text16(path)
  }
}

/// CHUNK carries the next bytes of the file that the last ENTRY of the stream began. Read in place, never copied into a
/// message: this type holds the header only.
///
///     0  stream  u32
///     4  data    1 to 65024 bytes, to the frame's end
package struct ChunkHeader: Equatable, Sendable {
  package static let type = FrameType.chunk
  /// The header's bytes in a frame, the type byte included.
  package static let frameOverhead = 5
  package var stream: UInt32

  package init(stream: UInt32) { self.stream = stream }

  /// Writes the header into a frame's plaintext, before the data that is there.
  package func write(into frame: inout MutableRawSpan) {
    precondition(
      (1...Limits.chunkData).contains(frame.byteCount - Self.frameOverhead), "a chunk of no or too many bytes"
    )
    frame.storeBytes(of: Self.type.rawValue, toByteOffset: 0, as: UInt8.self)
    frame.storeBytes(of: stream.bigEndian, toByteOffset: 1, as: UInt32.self)
  }

  /// Reads the header; the data is what `reader` has left.
  package init(body reader: inout WireReader) throws(WireError) {
    stream = try reader.u32()
    guard reader.remaining > 0 else { throw .truncated }
    guard reader.remaining <= Limits.chunkData else { throw .tooLong }
  }
}

/// END ends the file that the last ENTRY of the stream began.
///
///     0   stream  u32
///     4   size    u64: bytes sent, which must be the ENTRY's size
///     12  digest  u8: 0, or 1 and 32 bytes of BLAKE2b over the file
package struct End: WireMessage {
  package static let type = FrameType.end
  package var stream: UInt32
  package var size: UInt64
  package var digest: FixedBytes<32>?

  package init(stream: UInt32, size: UInt64, digest: FixedBytes<32>?) {
    self.stream = stream
    self.size = size
    self.digest = digest
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    size = try body.u64()
    digest = try body.flag() ? body.fixed() : nil
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.u64(size)
    writer.flag(digest != nil)
    if let digest { writer.fixed(digest) }
  }
}

/// CANCEL ends a transfer, from either side. The other answers with CANCEL; until then frames of the stream are ignored.
///
///     0  stream  u32
///     4  reason  u8
package struct Cancel: WireMessage {
  package static let type = FrameType.cancel

  package enum Reason: UInt8, CaseIterable, Sendable {
    /// The user said so.
    case stopped = 1
    /// The sender could not read, or the source changed.
    case sourceFailed = 2
    /// The receiver could not write.
    case targetFailed = 3
    /// The receiver's disk is full.
    case diskFull = 4
    /// A digest or a size did not hold.
    case integrity = 5
    /// A name or an order of frames that may not be.
    case malformed = 6
    /// The user said so, for now: what the receiver has it keeps.
    case paused = 7
  }

  package var stream: UInt32
  package var reason: Reason

  package init(stream: UInt32, reason: Reason) {
    self.stream = stream
    self.reason = reason
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    guard let reason = Reason(rawValue: try body.u8()) else { throw .malformed }
    self.reason = reason
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.u8(reason.rawValue)
  }
}
