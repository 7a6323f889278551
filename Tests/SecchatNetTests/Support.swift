import SecchatNet
import Testing

/// Both ends of a connection over loopback.
@LoopActor struct Pair {
  let near: ByteStream
  let far: ByteStream

  static func over(_ host: String = "127.0.0.1", inputCapacity: Int = Limits.inputCapacity) async throws
    -> Pair
  {
    let listener = try Listener(address: address(host), inputCapacity: inputCapacity)
    defer { listener.close() }
    let target = try #require(listener.address)
    let near = try await ByteStream.connect(to: target, timeout: 60_000, inputCapacity: inputCapacity)
    return Pair(near: near, far: try await listener.accept())
  }

  static func address(_ host: String) throws -> SocketAddress {
    try #require(SocketAddress(host: host, port: 0))
  }
}

extension ByteStream {
  func write(_ bytes: [UInt8]) { unsafe write(bytes.span.bytes) }

  func read(_ count: Int) async throws(NetError) -> [UInt8] {
    try await fill(atLeast: count, deadline: Loop.now + 60_000)
    let bytes = peek(count)
    consume(count)
    return bytes
  }

  func peek(_ count: Int) -> [UInt8] {
    withBuffered { span in
      (0..<count).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
  }

  /// Sends back whatever comes, until the end.
  func echo() async {
    do throws(NetError) {
      while true {
        try await fill(atLeast: 1)
        let count = buffered
        withBuffered { span in write(span.bytes) }
        consume(count)
        try await drain()
      }
    } catch {
      close()
    }
  }
}
