import Foundation
import TestSupport

/// A TCP connection to a port on loopback that sends what it is told and waits for nothing.
final class PlainSocket: Sendable {
  private let descriptor: Int32
  private let dontWait = Int32(MSG_DONTWAIT)

  /// - Parameters:
  ///   - host: the last byte of the loopback address that it goes to: 127.0.0.x.
  ///   - source: and of the one that it comes from.
  init(connectingTo port: Int, at host: UInt8 = 1, from source: UInt8 = 1) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    self.descriptor = descriptor
    let bound = unsafe Self.withAddress(source, 0) { unsafe bind(descriptor, $0, $1) }
    let connected = unsafe Self.withAddress(host, port) { unsafe connect(descriptor, $0, $1) }
    guard bound == 0, connected == 0 else { throw TookTooLong("no connection to port \(port): \(errno)") }
  }

  private static func withAddress(
    _ host: UInt8, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = (0x7f00_0000 | UInt32(host)).bigEndian
    return unsafe withUnsafePointer(to: address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  deinit { close(descriptor) }

  /// Sends what fits into the socket's buffer.
  func send(_ data: Data) {
    _ = unsafe data.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | dontWait)
    }
  }

  /// What came, once the other side has ended the connection; nil before.
  var drained: Data? {
    var all = Data()
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe recv(descriptor, &buffer, buffer.count, dontWait)
      if count > 0 {
        all += buffer[..<count]
      } else if count < 0, errno == EAGAIN {
        return nil
      } else {
        return all
      }
    }
  }
}
