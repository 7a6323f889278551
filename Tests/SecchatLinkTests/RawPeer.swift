import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport

/// The other side of a link without `SealedLink`: it may say what no honest program says.
@LoopActor final class RawPeer {
  let stream: ByteStream
  private var transport: TransportState

  private init(_ stream: ByteStream, _ transport: consuming TransportState) {
    self.stream = stream
    self.transport = transport
  }

  private typealias Handshake = HandshakeState<SHA256>
  struct Refused: Error {}

  /// As the initiator.
  static func connect(_ stream: ByteStream) async throws -> RawPeer {
    let start = try Handshake.initiator(
      pattern: .XK, prologue: Keys.prologue, static: Keys.initiator, remoteStatic: Keys.responder.publicKey)
    guard case .next(let afterFirst, let first) = start.write(payload: RawSpan()) else { throw Refused() }
    stream.send([1] + framed(first))
    let second = Array(try await stream.readMessage().dropFirst(2))
    guard case .next(let afterSecond, _) = afterFirst.read(message: second.raw),
      case .finished(let transport, let third) = afterSecond.write(payload: RawSpan())
    else { throw Refused() }
    stream.send(framed(third))
    return RawPeer(stream, transport)
  }

  static func framed(_ message: [UInt8]) -> [UInt8] {
    [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
  }

  /// Seals the plaintext as the next frame.
  func seal(_ plaintext: [UInt8]) throws(NoiseError) -> [UInt8] {
    var buffer = plaintext + [UInt8](repeating: 0, count: aeadTagLength)
    try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try transport.sending.seal(inPlace: &span)
    }
    return Self.framed(buffer)
  }

  /// The plaintext of the next frame that comes.
  func read() async throws -> [UInt8] {
    var buffer = Array(try await stream.readMessage().dropFirst(2))
    try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try transport.receiving.open(inPlace: &span)
    }
    return buffer.dropLast(aeadTagLength)
  }

  func rekeySending() { transport.sending.rekey() }
  func rekeyReceiving() { transport.receiving.rekey() }

  /// A raw initiator and a link that answered it.
  static func linked() async throws -> (RawPeer, SealedLink) {
    let pair = try await Pair.make()
    async let responder = result { () throws(LinkError) in
      try await SealedLink.accept(pair.far, prologue: Keys.prologue, local: Keys.responder)
    }
    let raw = try await connect(pair.near)
    return (raw, try await responder.get())
  }
}
