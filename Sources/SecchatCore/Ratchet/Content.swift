package import SecchatCrypto

package typealias MessageID = FixedBytes<16>

/// A message between two people: what one of them says, and when. It keeps its id, however often it has to be sent.
package struct Message: Hashable, Sendable {
  package enum Body: Hashable, Sendable {
    /// 1 to 32,768 bytes of UTF-8.
    case text(String)
    /// The other side's messages with these ids, 1 to 64, have been shown to a person.
    case read([MessageID])
  }

  package let id: MessageID
  /// Unix milliseconds, by the sender's clock.
  package let sent: UInt64
  /// Seconds after which both sides forget it; 0: never.
  package let expires: UInt32
  package let body: Body

  package init(id: MessageID, sent: UInt64, expires: UInt32 = 0, body: Body) {
    self.id = id
    self.sent = sent
    self.expires = expires
    self.body = body
  }

  private enum Kind: UInt8 {
    case text = 1
    case read = 2
  }

  package init(from reader: inout WireReader) throws(WireError) {
    id = try reader.fixed()
    sent = try reader.u64()
    expires = try reader.u32()
    guard let kind = Kind(rawValue: try reader.u8()) else { throw .malformed }
    switch kind {
    case .text:
      let text = try reader.text16(limit: Limits.chatText)
      guard !text.isEmpty else { throw .malformed }
      body = .text(text)
    case .read:
      let count = Int(try reader.u8())
      guard (1...Limits.readIDs).contains(count) else { throw .tooLong }
      var ids: [MessageID] = []
      for _ in 0..<count { ids.append(try reader.fixed()) }
      body = .read(ids)
    }
  }

  package func encode(into writer: inout WireWriter) {
    writer.fixed(id)
    writer.u64(sent)
    writer.u32(expires)
    switch body {
    case .text(let text):
      writer.u8(Kind.text.rawValue)
      writer.text16(text)
    case .read(let ids):
      writer.u8(Kind.read.rawValue)
      writer.u8(UInt8(ids.count))
      for id in ids { writer.fixed(id) }
    }
  }
}

/// What is inside an envelope's seal: a message in its place among those of its sender.
///
///     0   sequence  u64: of the sender's device towards the receiver's, from 1, at most 2^62
///     8   previous  32 bytes: `hash("secchat message chain v1", …)` of the Content before; zeros for the first
///     40  id        16 bytes, random
///     56  sent      u64, Unix milliseconds
///     64  expires   u32: seconds after which both sides forget it; 0: never
///     68  kind      u8: 1 text, 2 read
///     69  body      text: u16 length, UTF-8, 1 to 32768 bytes; read: u8 count, 1 to 64 ids of 16 bytes
///     .   padding   zeros until the whole is a multiple of 256
package struct Content: Hashable, Sendable {
  package let sequence: UInt64
  package let previous: FixedBytes<32>
  package let message: Message

  /// More than anybody ever sends; whoever names a later place has no good in mind.
  package static let lastSequence: UInt64 = 1 << 62

  /// The place is given by `Correspondence`.
  package init(sequence: UInt64, previous: FixedBytes<32>, message: Message) {
    self.sequence = sequence
    self.previous = previous
    self.message = message
  }

  package init(decoding bytes: RawSpan) throws(WireError) {
    var reader = WireReader(bytes)
    sequence = try reader.u64()
    guard (1...Self.lastSequence).contains(sequence) else { throw .malformed }
    previous = try reader.fixed()
    message = try Message(from: &reader)
    // One canonical form: as much padding as there must be, and nothing hidden in it.
    let padding = try reader.take(Self.padding(after: bytes.byteCount - reader.remaining))
    for i in 0..<padding.byteCount where unsafe padding.unsafeLoad(fromByteOffset: i, as: UInt8.self) != 0 {
      throw .malformed
    }
    try reader.end()
  }

  package var encoded: [UInt8] {
    var writer = WireWriter(capacity: 512)
    writer.u64(sequence)
    writer.fixed(previous)
    message.encode(into: &writer)
    writer.zeros(Self.padding(after: writer.bytes.count))
    return writer.bytes
  }

  private static func padding(after count: Int) -> Int {
    let used = count % Limits.chatBucket
    return used == 0 ? 0 : Limits.chatBucket - used
  }

  /// What the next Content of the same sender names as the one before.
  package var hash: FixedBytes<32> {
    var input = Labels.prefix(Labels.messageChain)
    input.append(contentsOf: encoded)
    return BLAKE2b.hash256(input.raw)
  }
}
