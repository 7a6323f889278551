import Foundation
import SecchatCrypto
import TestSupport

/// Connections to a port of loopback that get nowhere: a third say nothing, a third send the first message of a handshake
/// and no more, a third send it a byte now and then. What is shown out is replaced, as an attacker would.
final class Flood: Sendable {
  /// The first message of a handshake with its opening byte and length, as the one who has recorded it sends it again.
  static let messageLength = 51

  private struct Connection {
    let socket: PlainSocket
    var sent = 0
  }

  private let port: Int
  private let host: UInt8
  private let hosts: ClosedRange<UInt8>
  private let message: Data
  private let connections: Lock<[Connection]>
  private let task = Lock<Task<Void, Never>?>(nil)
  private let made = Lock(0)

  /// - Parameters:
  ///   - host: the last byte of the loopback address that they go to: 127.0.0.x.
  ///   - hosts: and of those that they come from.
  ///   - message: the first message of a handshake with who listens there.
  ///   - renewed: whether those that are shown out are replaced.
  init(
    _ count: Int, to port: Int, at host: UInt8 = 1, from hosts: ClosedRange<UInt8>, message: Data,
    renewed: Bool
  ) throws {
    self.port = port
    self.host = host
    self.hosts = hosts
    self.message = message
    connections = Lock([])
    let first = try (0..<count).map(connect)
    connections.withLock { $0 = first }
    let task = Task { [weak self] in
      while (try? await Task.sleep(for: .milliseconds(100))) != nil { self?.goOn(renewed) }
    }
    self.task.withLock { $0 = task }
  }

  deinit { end() }

  /// How many connections were made in all.
  var total: Int { made.withLock { $0 } }

  private func connect(_ index: Int) throws -> Connection {
    let source = hosts.lowerBound + UInt8(index % hosts.count)
    let socket = try PlainSocket(connectingTo: port, at: host, from: source)
    made.withLock { $0 += 1 }
    if index % 3 == 1 { socket.send(message) }
    return Connection(socket: socket)
  }

  private func goOn(_ renewed: Bool) {
    connections.withLock { connections in
      for index in connections.indices {
        if renewed, connections[index].socket.drained != nil, let new = try? connect(index) {
          connections[index] = new
        }
        guard index % 3 == 2, connections[index].sent < message.count - 1 else { continue }
        connections[index].socket.send(message.dropFirst(connections[index].sent).prefix(1))
        connections[index].sent += 1
      }
    }
  }

  /// Whether all connections have been ended by the other side.
  var isShownOut: Bool { connections.withLock { $0.allSatisfy { $0.socket.drained != nil } } }

  /// Closes all that is open.
  func end() {
    task.withLock { $0?.cancel() }
    connections.withLock { $0 = [] }
  }
}

extension Program {
  /// How many files and sockets it has open.
  var descriptors: Int {
    get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count }
  }

  /// Its resident memory in kilobytes.
  var resident: Int {
    get throws {
      let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
      return status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
    }
  }
}
