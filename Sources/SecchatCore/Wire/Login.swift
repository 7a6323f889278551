/// LOGIN: the device whose link key this link proved goes online.
///
///     0  request  u32
///     4  name     u8 length, 3-32 bytes
///     .  device   u32
///     .  port     u16: where peers reach it; 0: nowhere, and not listed as online
package struct Login: WireMessage, Numbered {
  package static let type = FrameType.login
  package var request: UInt32
  package var name: UserName
  package var device: UInt32
  package var port: UInt16

  package init(request: UInt32, name: UserName, device: UInt32, port: UInt16) {
    self.request = request
    self.name = name
    self.device = device
    self.port = port
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    name = try UserName(from: &body)
    device = try body.u32()
    port = try body.u16()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    name.encode(into: &writer)
    writer.u32(device)
    writer.u16(port)
  }
}

/// LOGGED_IN answers LOGIN.
///
///     0  request    u32
///     4  address    family, address and port: as the registry sees the client; the port is LOGIN's
///     .  life       u32, seconds: the session ends when no HEARTBEAT comes for so long
///     .  heartbeat  u32, seconds: how often the registry would like one
package struct LoggedIn: WireMessage, Numbered {
  package static let type = FrameType.loggedIn
  package var request: UInt32
  package var address: NetworkAddress
  package var life: UInt32
  package var heartbeat: UInt32

  package init(request: UInt32, address: NetworkAddress, life: UInt32, heartbeat: UInt32) {
    self.request = request
    self.address = address
    self.life = life
    self.heartbeat = heartbeat
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    address = try NetworkAddress(from: &body)
    life = try body.u32()
    heartbeat = try body.u32()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    address.encode(into: &writer)
    writer.u32(life)
    writer.u32(heartbeat)
  }
}
