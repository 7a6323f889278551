/// PING asks whether the other side is there. No body.
package struct Ping: WireMessage {
  package static let type = FrameType.ping
  package init() {}
  package init(body: inout WireReader) throws(WireError) {}
  package func encodeBody(into writer: inout WireWriter) {}
}

/// PONG answers PING. No body.
package struct Pong: WireMessage {
  package static let type = FrameType.pong
  package init() {}
  package init(body: inout WireReader) throws(WireError) {}
  package func encodeBody(into writer: inout WireWriter) {}
}

/// REKEY is the last frame under the sender's old key: both sides apply Noise's REKEY to that direction. No body.
package struct Rekey: WireMessage {
  package static let type = FrameType.rekey
  package init() {}
  package init(body: inout WireReader) throws(WireError) {}
  package func encodeBody(into writer: inout WireWriter) {}
}

/// CLOSE is the sender's last frame.
///
///     0  reason  u8
package struct Close: WireMessage {
  package static let type = FrameType.close

  package enum Reason: UInt8, CaseIterable, Sendable {
    /// The conversation is over.
    case done = 0
    /// The program is ending.
    case goingAway = 1
    /// Another link between the same two has taken over.
    case replaced = 2
    /// Nothing came for too long.
    case idle = 3
    /// A frame could not be read or may not stand there.
    case protocolError = 4
  }

  package var reason: Reason
  package init(reason: Reason) { self.reason = reason }

  package init(body: inout WireReader) throws(WireError) {
    guard let reason = Reason(rawValue: try body.u8()) else { throw .malformed }
    self.reason = reason
  }

  package func encodeBody(into writer: inout WireWriter) { writer.u8(reason.rawValue) }
}
