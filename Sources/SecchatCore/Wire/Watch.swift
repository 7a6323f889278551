/// WATCH adds names to those whose presence the registry tells, or takes them off.
///
///     0  request  u32
///     4  add      u8: 1 adds, 0 takes off
///     5  count    u16, at most 1000
///     7  names    u8 length each
package struct Watch: WireMessage, Numbered {
  package static let type = FrameType.watch
  package var request: UInt32
  package var add: Bool
  package var names: [UserName]

  package init(request: UInt32, add: Bool, names: [UserName]) {
    self.request = request
    self.add = add
    self.names = names
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    add = try body.flag()
    let count = Int(try body.u16())
    guard count <= Limits.watchBatch else { throw .tooLong }
    names = []
    for _ in 0..<count { names.append(try UserName(from: &body)) }
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.flag(add)
    writer.u16(UInt16(names.count))
    for name in names { name.encode(into: &writer) }
  }
}

/// WATCHING answers WATCH. A PRESENCE for each name that was added follows.
///
///     0  request  u32
package struct Watching: WireMessage, Numbered {
  package static let type = FrameType.watching
  package var request: UInt32
  package init(request: UInt32) { self.request = request }
  package init(body: inout WireReader) throws(WireError) { request = try body.u32() }
  package func encodeBody(into writer: inout WireWriter) { writer.u32(request) }
}

/// PRESENCE tells that a watched user is online at an address, or offline. Sent unasked.
///
///     0  name     u8 length, 3-32 bytes
///     .  address  u8: 0 (offline), or 1 and family, address, port
package struct Presence: WireMessage {
  package static let type = FrameType.presence
  package var name: UserName
  package var address: NetworkAddress?

  package init(name: UserName, address: NetworkAddress?) {
    self.name = name
    self.address = address
  }

  package init(body: inout WireReader) throws(WireError) {
    name = try UserName(from: &body)
    address = try NetworkAddress.optional(from: &body)
  }

  package func encodeBody(into writer: inout WireWriter) {
    name.encode(into: &writer)
    NetworkAddress.encode(address, into: &writer)
  }
}
