package import SecchatCrypto

package typealias MessageID = FixedBytes<16>

/// CHAT carries one message of text. Envelope version 0: sealed by the link alone.
///
///     0   envelope  u8, 0
///     1   id        16 bytes, random
///     17  sent      u64, Unix milliseconds
///     25  text      u16 length, UTF-8, at most 32768 bytes
///     .   padding   zeros until length field, text and padding are a multiple of 256
package struct Chat: WireMessage {
  package static let type = FrameType.chat
  private static let envelope: UInt8 = 0

  package var id: MessageID
  package var sent: UInt64
  package var text: String

  package init(id: MessageID, sent: UInt64, text: String) {
    self.id = id
    self.sent = sent
    self.text = text
  }

  package init(body: inout WireReader) throws(WireError) {
    guard try body.u8() == Self.envelope else { throw .malformed }
    id = try body.fixed()
    sent = try body.u64()
    text = try body.text16(limit: Limits.chatText)
    // One canonical form: as much padding as there must be, and nothing hidden in it.
    let padding = try body.take(Self.padding(after: text.utf8.count))
    for i in 0..<padding.byteCount where unsafe padding.unsafeLoad(fromByteOffset: i, as: UInt8.self) != 0 {
      throw .malformed
    }
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u8(Self.envelope)
    writer.fixed(id)
    writer.u64(sent)
    writer.text16(text)
    writer.zeros(Self.padding(after: text.utf8.count))
  }

  private static func padding(after count: Int) -> Int {
    let used = (2 + count) % Limits.chatBucket
    return used == 0 ? 0 : Limits.chatBucket - used
  }
}

/// ACK confirms: a CHAT has been shown, or item `part` of an offer is on disk under its final name.
///
///     0   id    16 bytes: of the CHAT or the OFFER
///     16  part  u32: 0 for a CHAT
package struct Ack: WireMessage {
  package static let type = FrameType.ack
  package var id: MessageID
  package var part: UInt32

  package init(id: MessageID, part: UInt32 = 0) {
    self.id = id
    self.part = part
  }

  package init(body: inout WireReader) throws(WireError) {
    id = try body.fixed()
    part = try body.u32()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.fixed(id)
    writer.u32(part)
  }
}

/// REFUSE: a CHAT or an OFFER is not taken.
///
///     0   id      16 bytes
///     16  reason  u8
package struct Refuse: WireMessage {
  package static let type = FrameType.refuse

  package enum Reason: UInt8, CaseIterable, Sendable {
    /// The user, or a rule of the user's, said no.
    case declined = 1
    /// Nobody answered in time.
    case unanswered = 2
    /// No room: a quota or the disk.
    case noRoom = 3
    /// More is open than the receiver keeps, or whoever reads its messages is behind.
    case busy = 4
  }

  package var id: MessageID
  package var reason: Reason

  package init(id: MessageID, reason: Reason) {
    self.id = id
    self.reason = reason
  }

  package init(body: inout WireReader) throws(WireError) {
    id = try body.fixed()
    guard let reason = Reason(rawValue: try body.u8()) else { throw .malformed }
    self.reason = reason
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.fixed(id)
    writer.u8(reason.rawValue)
  }
}

/// READY grants credit: how much the receiver of a stream will take, counted from the link's beginning. A sender never
/// goes beyond; a grant never shrinks.
///
///     0  stream  u32: 0 for CHAT, else that of an OFFER
///     4  limit   u64: CHATs on stream 0, bytes of CHUNK data on others
package struct Ready: WireMessage {
  package static let type = FrameType.ready
  package var stream: UInt32
  package var limit: UInt64

  package init(stream: UInt32, limit: UInt64) {
    self.stream = stream
    self.limit = limit
  }

  package init(body: inout WireReader) throws(WireError) {
    stream = try body.u32()
    limit = try body.u64()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(stream)
    writer.u64(limit)
  }
}
