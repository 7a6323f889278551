/// FAILURE answers any request that was not granted.
///
///     0  request  u32
///     4  reason   u8
///     5  wait     u32, seconds until it is worth trying again; 0 where that does not apply
package struct Failure: WireMessage, Numbered {
  package static let type = FrameType.failure

  package enum Reason: UInt8, CaseIterable, Sendable {
    /// The request contradicts itself or may not stand here.
    case badRequest = 1
    /// LOGIN: no such account, no such device, or not the key that this link proved. Which, is not said.
    case loginFailed = 2
    /// REGISTER: the name belongs to other keys.
    case nameTaken = 3
    /// LOOKUP: nobody has this name.
    case unknownName = 4
    /// Too many requests of this sort.
    case rateLimited = 5
    /// The request needs a session.
    case notLoggedIn = 6
    /// A bound of the registry was reached.
    case tooMany = 7
    /// The registry could not do its part.
    case unavailable = 8
    /// FETCH: the registry has no signed prekey of this device.
    case noPrekeys = 9
  }

  package var request: UInt32
  package var reason: Reason
  package var wait: UInt32

  package init(request: UInt32, reason: Reason, wait: UInt32 = 0) {
    self.request = request
    self.reason = reason
    self.wait = wait
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    guard let reason = Reason(rawValue: try body.u8()) else { throw .malformed }
    self.reason = reason
    wait = try body.u32()
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.u8(reason.rawValue)
    writer.u32(wait)
  }
}
