internal import SecchatCrypto

/// CHAT carries one message.
///
///     0   id        16 bytes: of the message
///     16  first     u8: 1 where each CHAT sent since this side turned to this link was confirmed or refused
///     17  envelope  an Envelope; to the end
package struct Chat: WireMessage {
  package static let type = FrameType.chat

  package let id: MessageID
  package let first: Bool
  package let envelope: Envelope

  package init(id: MessageID, first: Bool, envelope: Envelope) {
    self.id = id
    self.first = first
    self.envelope = envelope
  }

  package init(body: inout WireReader) throws(WireError) {
    id = try body.fixed()
    first = try body.flag()
    envelope = try Envelope(from: &body)
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.fixed(id)
    writer.flag(first)
    envelope.encode(into: &writer)
  }
}

/// ACK confirms: a CHAT is kept, or item `part` of an offer is on disk under its final name.
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
    /// The session of a CHAT is not there, or does not open it: it is to be sent in another.
    case undecryptable = 5
    /// A CHAT begins a session with prekeys that are not there: with others, it is welcome.
    case unknownPrekey = 6
    /// A CHAT came after one that was refused: it is to be sent again after that one.
    case outOfTurn = 7
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

/// INQUIRE asks a peer for prekeys of its own, for when the registry cannot be asked for them.
package struct Inquire: WireMessage {
  package static let type = FrameType.inquire
  package init() {}
  package init(body: inout WireReader) throws(WireError) {}
  package func encodeBody(into writer: inout WireWriter) {}
}

/// PREKEYS answers INQUIRE.
///
///     0  offer  a PrekeyOffer
package struct Prekeys: WireMessage {
  package static let type = FrameType.prekeys
  package let offer: PrekeyOffer
  package init(offer: PrekeyOffer) { self.offer = offer }
  package init(body: inout WireReader) throws(WireError) { offer = try PrekeyOffer(from: &body) }
  package func encodeBody(into writer: inout WireWriter) { offer.encode(into: &writer) }
}
