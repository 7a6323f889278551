internal import SecchatCore

/// One line of what a receiver remembers of a transfer.
enum JournalNote: Equatable {
  /// An item began, with its first entry; the file or folder that it goes into.
  case began(Entry, FileIdentity)
  /// A further entry of the item, and the path that it got below the item's.
  case entry(Entry, path: String)
  /// The item that comes is to come anew.
  case dropped
  /// Only so many entries of the item that comes count.
  case cut(UInt32)
  /// The item is complete and on disk, and about to get its name.
  case whole(UInt32)
  /// The item has its name.
  case finished(UInt32)

  private enum Kind: UInt8 { case began = 1, entry, dropped, cut, whole, finished }

  func encode(into writer: inout WireWriter) {
    switch self {
    case .began(let entry, let identity):
      writer.u8(Kind.began.rawValue)
      entry.encodeBody(into: &writer)
      writer.u64(identity.device)
      writer.u64(identity.inode)
    case .entry(let entry, let path):
      writer.u8(Kind.entry.rawValue)
      entry.encodeBody(into: &writer)
      writer.text16(path)
    case .dropped: writer.u8(Kind.dropped.rawValue)
    case .cut(let count): Self.encode(.cut, count, into: &writer)
    case .whole(let item): Self.encode(.whole, item, into: &writer)
    case .finished(let item): Self.encode(.finished, item, into: &writer)
    }
  }

  private static func encode(_ kind: Kind, _ number: UInt32, into writer: inout WireWriter) {
    writer.u8(kind.rawValue)
    writer.u32(number)
  }

  init(from reader: inout WireReader) throws(WireError) {
    guard let kind = Kind(rawValue: try reader.u8()) else { throw .malformed }
    switch kind {
    case .began:
      let entry = try Entry(body: &reader)
      self = .began(entry, FileIdentity(device: try reader.u64(), inode: try reader.u64()))
    case .entry:
      let entry = try Entry(body: &reader)
      // Tidied and numbered, it may have grown.
      self = .entry(entry, path: try reader.text16(limit: 2 * Limits.path))
    case .dropped: self = .dropped
    case .cut: self = .cut(try reader.u32())
    case .whole: self = .whole(try reader.u32())
    case .finished: self = .finished(try reader.u32())
    }
  }
}
