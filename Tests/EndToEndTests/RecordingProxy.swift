import Foundation
import SecchatCrypto
import TestSupport

/// Stands between two programs on loopback, keeps every byte that passes, and passes on what a test wants.
final class RecordingProxy: Sendable {
  /// What goes on in place of bytes that came, piece by piece; an empty one is the connection's end. The offset is where
  /// they begin in all that their side has sent on this connection.
  typealias Change = @Sendable (_ isFromClient: Bool, _ offset: Int, _ bytes: [UInt8]) -> [[UInt8]]

  struct Failure: Error {
    let call: String
    let code: Int32
  }

  let port: Int
  private let listener: Int32
  private let record = Lock(Record())

  private struct Record {
    var all = Data()
    /// What the client of each connection sent.
    var fromClients: [Data] = []
    var countFromClients = 0
    var open: [Int32] = []
    var change: Change?
  }

  /// Listens on a free port of 127.0.0.1, and connects what comes to `host`, by default on the same port.
  ///
  /// - Parameter keeping: whether the bytes are kept, or counted only.
  init(to host: String, _ targetPort: Int? = nil, keeping: Bool = true) throws {
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
        for descriptor in [client, server] {
          var on: Int32 = 1
          unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        let connection = record.withLock {
          $0.fromClients.append(Data())
          $0.open += [client, server]
          return $0.fromClients.count - 1
        }
        Thread { Self.pump(client, server, record, from: connection, keeping: keeping) }.start()
        Thread { Self.pump(server, client, record, from: nil, keeping: keeping) }.start()
      }
    }.start()
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// Every byte that passed, in either direction.
  var bytes: Data { record.withLock { $0.all } }

  /// What the client of each connection sent, in the order in which they came.
  var fromClients: [Data] { record.withLock { $0.fromClients } }

  /// How many bytes clients have sent in all.
  var countFromClients: Int { record.withLock { $0.countFromClients } }

  /// Does this to what comes from now on, on connections that stand too; nil is honest.
  func change(_ change: Change?) { record.withLock { $0.change = change } }

  /// Ends all connections.
  func hangUp() {
    record.withLock { record in
      for descriptor in record.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
      record.open = []
    }
  }

  /// - Parameter connection: where the side that is read from is the client.
  private static func pump(
    _ from: Int32, _ to: Int32, _ record: Lock<Record>, from connection: Int?, keeping: Bool
  ) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var offset = 0
    reading: while true {
      let count = unsafe recv(from, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      let bytes = Array(buffer[..<count])
      let change = record.withLock { record in
        if connection != nil { record.countFromClients += count }
        guard keeping else { return record.change }
        record.all.append(contentsOf: bytes)
        if let connection { record.fromClients[connection].append(contentsOf: bytes) }
        return record.change
      }
      let pieces = change.map { $0(connection != nil, offset, bytes) } ?? [bytes]
      offset += count
      for piece in pieces where piece.isEmpty || !send(piece, to) { break reading }
    }
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
  }

  private static func send(_ bytes: [UInt8], _ to: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let more = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          to, $0.baseAddress.unsafelyUnwrapped + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard more > 0 else { return false }
      sent += more
    }
    return true
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
