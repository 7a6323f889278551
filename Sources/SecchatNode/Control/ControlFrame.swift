internal import FoundationEssentials
internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// What passes over the control socket: a four-byte length, a kind, and a body. Both ends are the same user's programs,
/// and still nothing is believed about a length.
@LoopActor enum ControlFrame {
  /// A passphrase to be checked before the request that follows.
  case passphrase(Passphrase)
  case request(Request)
  case event(Event)
  /// The request has ended.
  case end(ExitStatus)

  private enum Kind: UInt8 {
    case passphrase = 1
    case request = 2
    case event = 3
    case end = 4
  }

  /// Room for a request that names some thousand paths.
  static let limit = 1 << 20

  static func send(_ request: Request, over stream: ByteStream) throws(NodeError) {
    guard let data = try? JSONEncoder().encode(request), data.count < limit else {
      throw NodeError(.usage, "the request is too large", hint: "name fewer files at once")
    }
    write(.request, [UInt8](data), over: stream)
  }

  static func send(_ event: Event, over stream: ByteStream) {
    write(.event, Array(event.line.utf8), over: stream)
  }

  static func send(_ status: ExitStatus, over stream: ByteStream) {
    write(.end, [UInt8(truncatingIfNeeded: status.rawValue)], over: stream)
  }

  static func send(_ passphrase: Passphrase, over stream: ByteStream) {
    stream.wipes()
    passphrase.withBytes { bytes in
      header(.passphrase, bytes.byteCount, over: stream)
      stream.write(bytes)
    }
    stream.flush()
  }

  private static func write(_ kind: Kind, _ body: [UInt8], over stream: ByteStream) {
    header(kind, body.count, over: stream)
    stream.write(body.raw)
    stream.flush()
  }

  private static func header(_ kind: Kind, _ count: Int, over stream: ByteStream) {
    var writer = WireWriter()
    writer.u32(UInt32(count + 1))
    writer.u8(kind.rawValue)
    stream.write(writer.bytes.raw)
  }

  /// The next frame; nil at the end of the stream, where what came is no frame, and where none has come by the deadline.
  static func receive(from stream: ByteStream, by deadline: Instant? = nil) async -> ControlFrame? {
    do throws(NetError) {
      try await stream.fill(atLeast: 5, deadline: deadline)
      let length = stream.withBuffered { (bytes: inout MutableRawSpan) in
        Int(UInt32(bigEndian: unsafe bytes.bytes.unsafeLoadUnaligned(as: UInt32.self)))
      }
      guard (1...limit).contains(length) else { return nil }
      try await stream.fill(atLeast: 4 + length, deadline: deadline)
      defer { stream.consume(4 + length) }
      return stream.withBuffered { (bytes: inout MutableRawSpan) in
        let frame = decode(bytes.bytes.extracting(4..<4 + length))
        if case .passphrase = frame {
          for offset in 4..<4 + length { bytes.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self) }
        }
        return frame
      }
    } catch { return nil }
  }

  private static func decode(_ frame: RawSpan) -> ControlFrame? {
    let body = frame.extracting(1..<frame.byteCount)
    switch Kind(rawValue: unsafe frame.unsafeLoad(as: UInt8.self)) {
    case .passphrase: return .passphrase(Passphrase(body))
    case .request:
      return (try? JSONDecoder().decode(Request.self, from: Data(body.array))).map { .request($0) }
    case .event: return Event(line: String(decoding: body.array, as: UTF8.self)).map { .event($0) }
    case .end:
      guard body.byteCount == 1 else { return nil }
      return ExitStatus(rawValue: Int32(unsafe body.unsafeLoad(as: UInt8.self))).map { .end($0) }
    case nil: return nil
    }
  }
}
