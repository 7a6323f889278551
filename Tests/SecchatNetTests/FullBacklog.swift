import Glibc
import SecchatNet
import Testing

/// An address of this machine whose connections are never answered: its queue of waiting ones is full.
final class FullBacklog: Sendable {
  let address: SocketAddress
  private let descriptors: [Int32]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var descriptors = [listener]
    let isListening = unsafe withUnsafeMutablePointer(to: &own) { own in
      unsafe own.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        guard unsafe bind(listener, name, length) == 0, listen(listener, 0) == 0,
          unsafe getsockname(listener, name, &length) == 0
        else { return false }
        // The queue holds one more than it is told; those after it wait for an answer already.
        for _ in 0..<4 {
          let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
          _ = unsafe connect(client, name, length)
          descriptors.append(client)
        }
        return true
      }
    }
    try #require(isListening)
    self.descriptors = descriptors
    address = try #require(SocketAddress("127.0.0.1:\(UInt16(bigEndian: own.sin_port))"))
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
