/// HEARTBEAT extends the session's life.
///
///     0  request  u32
package struct Heartbeat: WireMessage, Numbered {
  package static let type = FrameType.heartbeat
  package var request: UInt32
  package init(request: UInt32) { self.request = request }
  package init(body: inout WireReader) throws(WireError) { request = try body.u32() }
  package func encodeBody(into writer: inout WireWriter) { writer.u32(request) }
}

/// ALIVE answers HEARTBEAT.
///
///     0  request  u32
///     4  life     u32, seconds from now
package struct Alive: WireMessage, Numbered {
  package static let type = FrameType.alive
  package var request: UInt32
  package var life: UInt32

  package init(request: UInt32, life: UInt32) {
    self.request = request
    self.life = life
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    life = try body.u32()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.u32(life)
  }
}

/// LOGOUT ends the session; the link may stay.
///
///     0  request  u32
package struct Logout: WireMessage, Numbered {
  package static let type = FrameType.logout
  package var request: UInt32
  package init(request: UInt32) { self.request = request }
  package init(body: inout WireReader) throws(WireError) { request = try body.u32() }
  package func encodeBody(into writer: inout WireWriter) { writer.u32(request) }
}

/// LOGGED_OUT answers LOGOUT.
///
///     0  request  u32
package struct LoggedOut: WireMessage, Numbered {
  package static let type = FrameType.loggedOut
  package var request: UInt32
  package init(request: UInt32) { self.request = request }
  package init(body: inout WireReader) throws(WireError) { request = try body.u32() }
  package func encodeBody(into writer: inout WireWriter) { writer.u32(request) }
}
