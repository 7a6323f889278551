package import SecchatCore
internal import SecchatCrypto
package import SecchatNet

/// A sealed, framed, authenticated channel over a byte stream: what a completed handshake turns into.
///
/// A frame is a two-byte length and a Noise message whose plaintext is a type byte and a body. PING, PONG, REKEY and
/// CLOSE are handled here; everything else is its user's. One reader; writing is from anywhere on the loop and corked
/// until the reader waits. A frame that does not authenticate ends the link at once.
@LoopActor package final class SealedLink {
  private let stream: ByteStream
  private var sending: CipherState
  private var receiving: CipherState
  private var sent = Meter()
  private var received = Meter()
  private var ending: LinkError?
  private var lastHeard = Instant.now
  private var hasPinged = false
  /// Bytes put into the stream so far; the last `backlog` of them have not gone.
  private var written = 0
  /// The answer to a PING that may be stuck: where in the output it ends, and when it was written.
  private var pong = (end: 0, since: Instant.now)

  /// With more than this unsent, one PONG at a time waits: who pings and never reads must not fill memory.
  private static let pongBacklog = 16 << 10

  /// Where the plaintext of large frames is wanted; everywhere else they are opened in the stream's buffer.
  package weak var landing: (any Landing)?
  /// A smaller Noise message is copied as fast.
  private static let worthLanding = 8 << 10

  /// Names this very session.
  package let handshakeHash: [UInt8]
  /// The static key that the other side proved.
  package let remoteKey: LinkPublicKey
  /// The payload that came with the other side's last handshake message.
  package let remotePayload: [UInt8]
  package let isInitiator: Bool
  package let born = Instant.now

  /// When it passes, `receive` gives up with `.network(.timedOut)`, whatever arrives.
  package var deadline: Instant?
  /// How long silence may last before the other side is asked with a PING (milliseconds) …
  package var patience = 30_000
  /// … and how long it has for its next whole frame.
  package var pongPatience = 15_000
  /// How long the other side may leave a full backlog unread (milliseconds).
  package var writePatience = 60_000
  /// A longer Noise message ends the link before it is read: who needs less than the protocol allows buffers less.
  package var frameLimit = Limits.noiseMessage

  init(
    _ stream: ByteStream, _ transport: consuming TransportState, isInitiator: Bool, remoteKey: LinkPublicKey,
    remotePayload: [UInt8]
  ) {
    self.stream = stream
    handshakeHash = transport.handshakeHash
    sending = transport.sending
    receiving = transport.receiving
    self.isInitiator = isInitiator
    self.remoteKey = remoteKey
    self.remotePayload = remotePayload
  }

  isolated deinit { stream.close() }

  /// Other limits until a REKEY than those of `Limits`.
  package func setRekeyLimitsForTestingOnly(frames: UInt64, bytes: UInt64) {
    sent = Meter(frames: frames, bytes: bytes)
    received = Meter(frames: frames, bytes: bytes)
  }

  package var remoteAddress: SocketAddress? { stream.remoteAddress }
  package var isClosed: Bool { ending != nil }
  /// Bytes written that the system has not taken yet.
  package var backlog: Int { stream.backlog }

  // MARK: Sending

  /// Seals a message into the output. On a link that has ended it goes nowhere; `receive` and `drain` tell.
  package func send(_ message: some WireMessage) {
    let bytes = message.encoded
    seal(bytes.raw)
  }

  /// Seals a CHUNK straight out of the sender's memory: room for its header, then its data.
  package func sendChunk(_ header: ChunkHeader, in frame: inout MutableRawSpan) {
    header.write(into: &frame)
    seal(frame.bytes)
  }

  private func seal(_ plaintext: RawSpan) {
    guard ending == nil else { return }
    if !sent.allows(plaintext.byteCount) {
      let rekey = Rekey().encoded
      write(rekey.raw)
      sending.rekey()
      sent.restart()
    }
    write(plaintext)
    sent.count(plaintext.byteCount)
  }

  private func write(_ plaintext: RawSpan) {
    precondition(plaintext.byteCount <= Limits.framePlaintext, "a message larger than a frame")
    let length = plaintext.byteCount + aeadTagLength
    var isSealed = false
    stream.write(reserving: 2 + length) { (span: inout MutableRawSpan) in
      span.storeBytes(of: UInt16(length).bigEndian, toByteOffset: 0, as: UInt16.self)
      var frame = span._mutatingExtracting(2..<2 + length)
      do throws(NoiseError) {
        try sending.seal(plaintext, into: &frame)
        isSealed = true
        return 2 + length
      } catch { return 0 }
    }
    // The counter cannot run out below 2^64 messages; should it, nothing more may be sent.
    if isSealed { written += 2 + length } else { fail(.integrity) }
  }

  /// Starts sending what has been written.
  package func flush() { stream.flush() }

  /// Waits until the output is small enough to go on writing.
  package func drain() async throws(LinkError) { try await drain(below: SecchatNet.Limits.lowWater) }

  /// The same with a bound of one's own on what may still wait.
  package func drain(below mark: Int) async throws(LinkError) {
    if let ending { throw ending }
    do throws(NetError) {
      try await stream.drain(below: mark, deadline: .now + writePatience)
    } catch {
      fail(.network(error))
      throw ending ?? .network(error)
    }
  }

  // MARK: Receiving

  /// Waits for the next frame that is its user's, and lets `body` read it in place.
  ///
  /// - Throws: what ended the link. A `body` that throws ends it: a frame that cannot be read is an attack or an error,
  ///   and neither gets a second try.
  package func receive<Message>(
    _ body: (FrameType, RawSpan) throws(WireError) -> Message
  ) async throws(LinkError) -> Message {
    while true {
      beginWaiting()
      let length = try await waitForFrame()
      if let message = try open(length, body) { return message }
    }
  }

  /// The next frame that is its user's of what has come, read in place like `receive` does; nil where no whole one has.
  package func next<Message>(
    _ body: (FrameType, RawSpan) throws(WireError) -> Message
  ) throws(LinkError) -> Message? {
    while ending == nil, let length = try bufferedFrame() {
      if let deadline, deadline <= .now { fail(.network(.timedOut)) }
      if ending == nil, let message = try open(length, body) { return message }
    }
    if let ending { throw ending }
    return nil
  }

  /// Waits like `receive` does, but without a task: calls `body` once, when `next` has something to give or to throw. The
  /// link lives until then.
  package func whenReady(_ body: @escaping @LoopActor () -> Void) {
    beginWaiting()
    park(body)
  }

  private func park(_ body: @escaping @LoopActor () -> Void) {
    let wanted: Int
    do throws(LinkError) {
      guard ending == nil, try bufferedFrame() == nil else { return body() }
      wanted = try headerLength().map { 2 + $0 } ?? 2
    } catch { return body() }
    stream.whenFilled(atLeast: wanted, deadline: waitingEnds) { [self] result in
      if case .failure(let error) = result, !pings(after: error) { fail(.network(error)) }
      // Of a frame whose length has come the rest is waited for; after a PING goes on waiting.
      park(body)
    }
  }

  /// Opens the frame at the head of the input; nil where it was not its user's.
  private func open<Message>(
    _ length: Int, _ body: (FrameType, RawSpan) throws(WireError) -> Message
  ) throws(LinkError) -> Message? {
    let outcome = stream.withBuffered { (bytes: inout MutableRawSpan) -> Outcome<Message> in
      var frame = bytes._mutatingExtracting(2..<2 + length)
      return opened(&frame, body)
    }
    stream.consume(2 + length)
    switch outcome {
    case .message(let message): return message
    case .handled: return nil
    case .failed(let error):
      fail(error)
      throw error
    }
  }

  private enum Outcome<Message> {
    case message(Message)
    case handled
    case failed(LinkError)
  }

  /// What is in a frame. A large one is opened where its user wants it, if that is known.
  private func opened<Message>(
    _ frame: inout MutableRawSpan, _ body: (FrameType, RawSpan) throws(WireError) -> Message
  ) -> Outcome<Message> {
    let count = frame.byteCount - aeadTagLength
    if count >= Self.worthLanding, let landing {
      let sealed = frame.bytes
      let outcome = landing.withLanding(count) { plaintext -> Outcome<Message> in
        do throws(NoiseError) {
          try receiving.open(sealed, into: &plaintext)
        } catch { return .failed(.integrity) }
        return read(plaintext.bytes, body)
      }
      if let outcome { return outcome }
    }
    do throws(NoiseError) {
      try receiving.open(inPlace: &frame)
    } catch { return .failed(.integrity) }
    return read(frame.bytes.extracting(0..<count), body)
  }

  private func read<Message>(
    _ plaintext: RawSpan, _ body: (FrameType, RawSpan) throws(WireError) -> Message
  ) -> Outcome<Message> {
    received.count(plaintext.byteCount)
    guard received.isWithinLimits else { return .failed(.protocolError) }
    do throws(WireError) {
      var reader = WireReader(plaintext)
      guard let type = FrameType(rawValue: try reader.u8()) else { return .failed(.protocolError) }
      let rest = reader.takeRest()
      switch type {
      case .ping:
        _ = try Ping(wholeBody: rest)
        return answerPing() ? .handled : .failed(.network(.timedOut))
      case .pong:
        _ = try Pong(wholeBody: rest)
        return .handled
      case .rekey:
        _ = try Rekey(wholeBody: rest)
        receiving.rekey()
        received.restart()
        return .handled
      case .close:
        return .failed(.closed(try Close(wholeBody: rest).reason))
      default:
        return .message(try body(type, rest))
      }
    } catch { return .failed(.protocolError) }
  }

  /// Sends PONG, unless the output stands still and the one before is still in it: then that one will do. It never waits:
  /// two sides that ping each other over full pipes would wait for one another.
  ///
  /// - Returns: whether the link may go on; not where the other side has left a PONG unread for `writePatience`.
  private func answerPing() -> Bool {
    if backlog > Self.pongBacklog, written - backlog < pong.end {
      return Instant.now - pong.since < writePatience
    }
    send(Pong())
    pong = (end: written, since: .now)
    return true
  }

  /// The length of the Noise message at the head of the input, once its two bytes are there.
  private func headerLength() throws(LinkError) -> Int? {
    guard stream.buffered >= 2 else { return nil }
    let length = stream.withBuffered { (bytes: inout MutableRawSpan) in Self.frameLength(bytes.bytes) }
    guard length > aeadTagLength, length <= frameLimit else {
      fail(.protocolError)
      throw .protocolError
    }
    return length
  }

  /// The same once all of the message is there.
  private func bufferedFrame() throws(LinkError) -> Int? {
    guard let length = try headerLength(), stream.buffered >= 2 + length else { return nil }
    return length
  }

  /// Waits until a whole frame is buffered; gives the length of its Noise message.
  private func waitForFrame() async throws(LinkError) -> Int {
    try await fill(2)
    guard let length = try headerLength() else { throw ending ?? .network(.closed) }
    try await fill(2 + length)
    return length
  }

  private func fill(_ count: Int) async throws(LinkError) {
    while true {
      if let ending { throw ending }
      if let deadline, deadline <= .now {
        fail(.network(.timedOut))
        throw .network(.timedOut)
      }
      do throws(NetError) {
        try await stream.fill(atLeast: count, deadline: waitingEnds)
        return
      } catch {
        if pings(after: error) { continue }
        fail(.network(error))
        throw ending ?? .network(error)
      }
    }
  }

  /// Silence counts from here: the time that its user took over the last frame is not the other side's.
  private func beginWaiting() {
    lastHeard = .now
    hasPinged = false
  }

  /// Until when a frame is waited for: the user's deadline, or when the silence has lasted too long.
  private var waitingEnds: Instant {
    let patience = lastHeard + (hasPinged ? patience + pongPatience : patience)
    return deadline.map { min($0, patience) } ?? patience
  }

  /// Asks a silent side for a word, once; whether the wait goes on.
  private func pings(after error: NetError) -> Bool {
    guard error == .timedOut, ending == nil, !hasPinged, deadline.map({ $0 > .now }) ?? true else {
      return false
    }
    hasPinged = true
    send(Ping())
    flush()
    return true
  }

  static func frameLength(_ bytes: RawSpan) -> Int {
    Int(UInt16(bigEndian: unsafe bytes.unsafeLoadUnaligned(as: UInt16.self)))
  }

  // MARK: Ending

  /// Ends the conversation: CLOSE goes out after what was written before, then the stream ends.
  package func close(_ reason: Close.Reason = .done) {
    guard ending == nil else { return }
    send(Close(reason: reason))
    ending = .closed(reason)
    stream.close()
  }

  /// Ends the link without a word.
  package func abort() { fail(.network(.closed)) }

  private func fail(_ error: LinkError) {
    guard ending == nil else { return }
    ending = error
    switch error {
    case .closed: stream.close()
    default: stream.abort()
    }
  }
}
