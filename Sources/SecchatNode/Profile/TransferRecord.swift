internal import SecchatCore
internal import SecchatCrypto

/// A transfer that a profile remembers: one that may go on, or an incoming one that is over and must not begin again.
struct TransferRecord: Equatable, Sendable {
  enum State: UInt8, Sendable {
    /// Goes on as soon as it can.
    case waiting = 1
    /// The user has stopped it for now.
    case paused = 2
    /// Incoming ones only: everything has come; the sender may not know yet.
    case done = 3
    /// Incoming ones only: the user does not want it.
    case cancelled = 4
  }

  /// What tells transfers apart: the ids are their senders' to choose.
  struct Key: Hashable, Sendable {
    var id: MessageID
    var peer: Account
    var isIncoming: Bool
  }

  var key: Key
  var state = State.waiting
  /// Unix seconds of the last change.
  var changed: UInt64
  /// What was offered.
  var name: String
  var items: UInt32
  var entries: UInt32
  var bytes: UInt64
  /// Bytes that had come when it was last cut short.
  var held: UInt64 = 0
  /// Incoming ones: the folder of downloads that it goes to.
  var downloads = ""
  /// Outgoing ones: what is sent, and how.
  var source: Source?

  struct Source: Equatable, Sendable {
    var paths: [String]
    /// Bytes a second.
    var limitRate: UInt64?
    var checksum: Bool
    /// `SourceSurvey`'s.
    var survey: FixedBytes<32>
    /// Whether it was ever offered.
    var isBegun = false
  }

  var id: MessageID { key.id }
  var peer: Account { key.peer }

  /// Whether this is the offer that it was made of.
  func matches(_ offer: Offer) -> Bool {
    name.hasBytes(of: offer.name) && items == offer.items && entries == offer.entries && bytes == offer.bytes
  }

  func offer(_ stream: UInt32) -> Offer {
    Offer(stream: stream, id: id, items: items, entries: entries, bytes: bytes, name: name)
  }

  // MARK: On disk

  /// Paths that one transfer may have: more than a command line takes.
  private static let maximumPaths: UInt32 = 1 << 20

  var encoded: [UInt8] {
    var writer = WireWriter(capacity: 256)
    writer.fixed(key.id)
    key.peer.encode(into: &writer)
    writer.flag(key.isIncoming)
    writer.u8(state.rawValue)
    writer.u64(changed)
    writer.text16(name)
    writer.u32(items)
    writer.u32(entries)
    writer.u64(bytes)
    writer.u64(held)
    writer.text16(downloads)
    writer.flag(source != nil)
    guard let source else { return writer.bytes }
    writer.u32(UInt32(source.paths.count))
    for path in source.paths { writer.text16(path) }
    writer.u64(source.limitRate ?? 0)
    writer.flag(source.checksum)
    writer.fixed(source.survey)
    writer.flag(source.isBegun)
    return writer.bytes
  }
}

extension TransferRecord {
  /// Nil for bytes that `encoded` did not write.
  init?(decoding bytes: [UInt8]) {
    do {
      var reader = WireReader(bytes.raw)
      let id: MessageID = try reader.fixed()
      key = Key(id: id, peer: try Account(from: &reader), isIncoming: try reader.flag())
      guard let state = State(rawValue: try reader.u8()) else { return nil }
      self.state = state
      changed = try reader.u64()
      name = try reader.text16(limit: Limits.pathComponent)
      items = try reader.u32()
      entries = try reader.u32()
      self.bytes = try reader.u64()
      held = try reader.u64()
      downloads = try reader.text16(limit: .max)
      source = try reader.flag() ? Source(from: &reader) : nil
      try reader.end()
    } catch { return nil }
  }
}

extension TransferRecord.Source {
  fileprivate init(from reader: inout WireReader) throws(WireError) {
    let count = try reader.u32()
    guard count <= TransferRecord.maximumPaths else { throw .tooLong }
    paths = []
    for _ in 0..<count { paths.append(try reader.text16(limit: .max)) }
    let rate = try reader.u64()
    limitRate = rate == 0 ? nil : rate
    checksum = try reader.flag()
    survey = try reader.fixed()
    isBegun = try reader.flag()
  }
}
