import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

/// As much data as a CHUNK takes.
let fullChunk = [UInt8](repeating: 0, count: Limits.chunkData)

/// Both ends of a connection over loopback.
@LoopActor struct Pair {
  let near: ByteStream
  let far: ByteStream

  static func make() async throws -> Pair {
    let listener = try Listener(address: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    defer { listener.close() }
    let target = try #require(listener.address)
    let near = try await ByteStream.connect(to: target, timeout: 60_000)
    return Pair(near: near, far: try await listener.accept())
  }
}

extension ByteStream {
  func send(_ bytes: [UInt8]) {
    write(bytes.raw)
    flush()
  }

  func read(_ count: Int) async throws(NetError) -> [UInt8] {
    try await fill(atLeast: count, deadline: Loop.now + 60_000)
    return takeBuffered(count)
  }

  func takeBuffered(_ count: Int) -> [UInt8] {
    let bytes = withBuffered { (span: inout MutableRawSpan) in span.bytes.extracting(0..<count).array }
    consume(count)
    return bytes
  }

  /// A message with its length before it.
  func readMessage() async throws(NetError) -> [UInt8] {
    let head = try await read(2)
    return head + (try await read(Int(head[0]) << 8 | Int(head[1])))
  }

  /// All that comes until the connection ends, and how it ended.
  func readToEnd() async -> ([UInt8], NetError) {
    var bytes: [UInt8] = []
    while true {
      do throws(NetError) {
        try await fill(atLeast: 1, deadline: Loop.now + 60_000)
        bytes += takeBuffered(buffered)
      } catch { return (bytes, error) }
    }
  }
}

extension SealedLink {
  func sendChunk(_ stream: UInt32, _ data: some Collection<UInt8>) {
    var frame = [UInt8](repeating: 0, count: ChunkHeader.frameOverhead) + data
    frame.withMutableRaw { sendChunk(ChunkHeader(stream: stream), in: &$0) }
  }
}

/// Keys and prologues that the tests agree on.
enum Keys {
  static let prologue = Array("prologue".utf8)
  static let initiator = pair(1)
  static let responder = pair(2)
  static let stranger = pair(3)

  private static func pair(_ byte: UInt8) -> LinkKeyPair {
    do {
      return LinkKeyPair(try AgreementPrivateKey(SecretBytes([UInt8](repeating: byte, count: 32))))
    } catch { preconditionFailure("32 bytes are a key") }
  }
}

typealias LinkResult = Result<SealedLink, LinkError>

/// What a handshake over two streams came to, on either side.
@LoopActor struct Shake {
  let initiator: LinkResult
  let responder: LinkResult

  static func over(
    _ near: ByteStream, _ far: ByteStream, prologues: ([UInt8], [UInt8]) = (Keys.prologue, Keys.prologue),
    remote: LinkPublicKey = Keys.responder.publicKey, payloads: (second: [UInt8], third: [UInt8]) = ([], []),
    time: Int = 20_000
  ) async -> Shake {
    async let first = result { () throws(LinkError) in
      try await SealedLink.connect(
        near, prologue: prologues.0, local: Keys.initiator, remote: remote, time: time
      ) { _ in payloads.third }
    }
    async let second = result { () throws(LinkError) in
      try await SealedLink.accept(
        far, prologue: prologues.1, local: Keys.responder, payload: payloads.second, time: time)
    }
    return await Shake(initiator: first, responder: second)
  }

  /// Both ends of a new link.
  static func link(through tamper: Relay.Tamper? = nil) async throws -> (SealedLink, SealedLink) {
    let (near, far): (ByteStream, ByteStream)
    if let tamper {
      let relay = try await Relay.make(tamper)
      (near, far) = (relay.initiator, relay.responder)
    } else {
      let pair = try await Pair.make()
      (near, far) = (pair.near, pair.far)
    }
    let shake = await over(near, far)
    return (try shake.initiator.get(), try shake.responder.get())
  }
}

@LoopActor func result<Value>(
  _ body: @LoopActor () async throws(LinkError) -> Value
) async -> Result<Value, LinkError> {
  do throws(LinkError) { return .success(try await body()) } catch { return .failure(error) }
}

extension Result where Failure == LinkError {
  var error: LinkError? {
    switch self {
    case .success: nil
    case .failure(let error): error
    }
  }
}

/// A frame that a link's user got.
struct Received: Equatable {
  let type: FrameType
  let body: [UInt8]

  init(_ type: FrameType, _ body: [UInt8]) {
    self.type = type
    self.body = body
  }

  init(_ message: some WireMessage) {
    type = Swift.type(of: message).type
    body = Array(message.encoded.dropFirst())
  }
}

extension SealedLink {
  func next() async throws(LinkError) -> Received {
    try await receive { (type, body) throws(WireError) in Received(type, body.array) }
  }

  /// Everything until the link ends, and how it ended.
  func rest() async -> ([Received], LinkError) {
    var all: [Received] = []
    while true {
      do throws(LinkError) { all.append(try await next()) } catch { return (all, error) }
    }
  }
}
