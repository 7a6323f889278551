/// The first byte of a frame's plaintext. The table of `docs/protocol.md`, section 5.
package enum FrameType: UInt8, CaseIterable, Sendable {
  // Any link.
  case ping = 0x01
  case pong = 0x02
  case rekey = 0x03
  case close = 0x04

  // A client asks its registry.
  case register = 0x10
  case login = 0x11
  case list = 0x12
  case lookup = 0x13
  case heartbeat = 0x14
  case logout = 0x15
  case watch = 0x16
  case publish = 0x17
  case fetch = 0x18

  // The registry answers.
  case registered = 0x20
  case loggedIn = 0x21
  case listed = 0x22
  case found = 0x23
  case alive = 0x24
  case loggedOut = 0x25
  case watching = 0x26
  case published = 0x27
  case bundle = 0x28
  case failure = 0x2f

  // The registry tells unasked.
  case presence = 0x30
  case stock = 0x31

  // Peers.
  case ready = 0x40
  case chat = 0x41
  case ack = 0x42
  case refuse = 0x43
  case inquire = 0x44
  case prekeys = 0x45
  case offer = 0x50
  case accept = 0x51
  case entry = 0x52
  case chunk = 0x53
  case end = 0x54
  case cancel = 0x55
  case resume = 0x56
}
