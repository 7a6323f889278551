import Foundation
import SecchatCrypto
import TestSupport

/// Stands between two programs on loopback and keeps every byte that passes.
final class RecordingProxy: Sendable {
  struct Failure: Error {
    let call: String
    let code: Int32
  }

  let port: Int
  private let listener: Int32
  private let record = Lock(Data())

  /// Listens on a free port of 127.0.0.1, and connects what comes to `host`, by default on the same port.
  init(to host: String, _ targetPort: Int? = nil) throws {
    let listener = try Self.socket()
    self.listener = listener
    unsafe try Self.withAddress("127.0.0.1", 0) { address, length in
      unsafe bind(listener, address, length) == 0 && listen(listener, 16) == 0
    }
    var own = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafeMutablePointer(to: &own) { own in
      unsafe own.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(listener, $0, &length)
      }
    }
    let port = Int(UInt16(bigEndian: own.sin_port))
    self.port = port
    let record = record
    Thread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        guard let server = try? Self.socket() else { return }
        let connected: Void? = unsafe try? Self.withAddress(host, targetPort ?? port) { address, length in
          unsafe connect(server, address, length) == 0
        }
        guard connected != nil else {
          close(client)
          close(server)
          continue
        }
        for (from, to) in [(client, server), (server, client)] {
          Thread { Self.pump(from, to, record) }.start()
        }
      }
    }.start()
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// Every byte that passed, in either direction.
  var bytes: Data { record.withLock { $0 } }

  private static func pump(_ from: Int32, _ to: Int32, _ record: Lock<Data>) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe recv(from, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      record.withLock { $0.append(contentsOf: buffer[..<count]) }
      var sent = 0
      while sent < count {
        let more = unsafe buffer.withUnsafeBytes {
          unsafe send(to, $0.baseAddress.unsafelyUnwrapped + sent, count - sent, Int32(MSG_NOSIGNAL))
        }
        guard more > 0 else { break }
        sent += more
      }
    }
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
  }

  private static func socket() throws -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
    return descriptor
  }

  private static func withAddress(
    _ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    unsafe inet_pton(AF_INET, host, &address.sin_addr)
    let done = unsafe withUnsafePointer(to: address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard done else { throw Failure(call: "bind or connect", code: errno) }
  }
}
