import Glibc
import SecchatCrypto

/// A blocking TCP socket on loopback, for talking to another implementation. Waits at most 20 seconds.
struct LoopbackSocket: ~Copyable {
  struct Failure: Error {
    let call: String
    let code: CInt
  }

  private let descriptor: CInt

  private init(_ descriptor: CInt, _ call: String) throws(Failure) {
    guard descriptor >= 0 else { throw Failure(call: call, code: errno) }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// A listener on a port that the system chose.
  static func listening() throws(Failure) -> LoopbackSocket {
    let socket = try LoopbackSocket(
      socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0), "socket")
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bound = unsafe withUnsafePointer(to: address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(socket.descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0 else { throw Failure(call: "bind", code: errno) }
    guard listen(socket.descriptor, 8) == 0 else { throw Failure(call: "listen", code: errno) }
    try socket.limitWaiting()
    return socket
  }

  private borrowing func limitWaiting() throws(Failure) {
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      let status = unsafe setsockopt(
        descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
      guard status == 0 else { throw Failure(call: "setsockopt", code: errno) }
    }
  }

  /// The port that a listener listens on.
  var port: UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafeMutablePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe getsockname(descriptor, address, &length)
      }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  /// The next connection to a listener.
  borrowing func accepted() throws(Failure) -> LoopbackSocket {
    let connection = try LoopbackSocket(accept(descriptor, nil, nil), "accept")
    try connection.limitWaiting()
    return connection
  }

  /// Sends a 2-byte big-endian length and the message.
  borrowing func send(frame message: [UInt8]) throws(Failure) {
    let length = UInt16(message.count)
    let bytes = [UInt8(length >> 8), UInt8(length & 255)] + message
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress.unsafelyUnwrapped + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure(call: "send", code: errno) }
      sent += count
    }
  }

  /// The next frame's message.
  borrowing func receiveFrame() throws(Failure) -> [UInt8] {
    let header = try receive(2)
    return try receive(Int(header[0]) << 8 | Int(header[1]))
  }

  private borrowing func receive(_ count: Int) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var received = 0
    while received < count {
      let more = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe recv(descriptor, buffer.baseAddress.unsafelyUnwrapped + received, count - received, 0)
      }
      guard more > 0 else { throw Failure(call: "recv", code: more == 0 ? 0 : errno) }
      received += more
    }
    return bytes
  }
}
