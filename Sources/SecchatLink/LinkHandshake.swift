package import SecchatCore
internal import SecchatCrypto
package import SecchatNet

private typealias Handshake = HandshakeState<SHA256>

/// The first byte of a stream: which pattern the initiator speaks. In the clear; a changed one only makes the
/// handshake fail, since the pattern's name is hashed into it.
private enum Opening: UInt8 {
  /// `Noise_XK_25519_ChaChaPoly_SHA256`: a link.
  case link = 1
  /// `Noise_NX_25519_ChaChaPoly_SHA256`: what is your key? Only a registry answers.
  case inquiry = 2
}

extension SealedLink {
  /// Makes a link as the initiator of `Noise_XK_25519_ChaChaPoly_SHA256`.
  ///
  /// - Parameters:
  ///   - stream: fresh, and this link's from now on.
  ///   - remote: the responder's key, from a look-up, a pin or an address.
  ///   - time: milliseconds for the whole handshake.
  ///   - answer: judges the payload of the second message and gives that of the third. Until it returns, the
  ///     responder has learnt nothing of who asks. Without one, both are empty: another second payload is refused.
  package static func connect(
    _ stream: ByteStream, prologue: [UInt8], local: LinkKeyPair, remote: LinkPublicKey,
    time: Int = Limits.handshakeTime,
    answer: (_ payload: [UInt8]) throws(LinkError) -> [UInt8] = SealedLink.expectNothing
  ) async throws(LinkError) -> SealedLink {
    let deadline = Instant.now + time
    do throws(LinkError) {
      let start = try begin { () throws(NoiseError) in
        try Handshake.initiator(pattern: .XK, prologue: prologue, static: local, remoteStatic: remote)
      }
      // -> e, es
      guard case .next(let afterFirst, let first) = start.write(payload: RawSpan()) else {
        throw .handshakeFailed
      }
      sendHandshake(first, opening: .link, over: stream)
      // <- e, ee
      let second = try await receiveHandshake(from: stream, by: deadline)
      guard case .next(let afterSecond, let payload) = afterFirst.read(message: second.raw) else {
        throw .handshakeFailed
      }
      // -> s, se
      let third = try answer(payload)
      guard case .finished(let transport, let message) = afterSecond.write(payload: third.raw) else {
        throw .handshakeFailed
      }
      sendHandshake(message, over: stream)
      return SealedLink(
        stream, transport, isInitiator: true, remoteKey: remote, remotePayload: payload)
    } catch {
      stream.abort()
      throw error
    }
  }

  /// Makes a link as the responder. The caller judges `remoteKey` and `remotePayload` before it says anything.
  ///
  /// - Parameter payload: of the second message.
  package static func accept(
    _ stream: ByteStream, prologue: [UInt8], local: LinkKeyPair, payload: [UInt8] = [],
    time: Int = Limits.handshakeTime
  ) async throws(LinkError) -> SealedLink {
    let deadline = Instant.now + time
    do throws(LinkError) {
      guard try await receiveOpening(from: stream, by: deadline) == .link else { throw .handshakeFailed }
      return try await respond(stream, prologue, local, payload, deadline)
    } catch {
      stream.abort()
      throw error
    }
  }

  /// The same for a registry, which also tells its key to those who ask.
  ///
  /// - Returns: nil where the stream only asked, and was answered.
  package static func acceptOrTellKey(
    _ stream: ByteStream, prologue: [UInt8], local: LinkKeyPair, time: Int = Limits.handshakeTime
  ) async throws(LinkError) -> SealedLink? {
    let deadline = Instant.now + time
    do throws(LinkError) {
      switch try await receiveOpening(from: stream, by: deadline) {
      case .link: return try await respond(stream, prologue, local, [], deadline)
      case .inquiry:
        try await tellKey(stream, prologue, local, deadline)
        stream.close()
        return nil
      }
    } catch {
      stream.abort()
      throw error
    }
  }

  /// Asks a registry for its key over `Noise_NX_25519_ChaChaPoly_SHA256`. Whoever answers has the private half; whether
  /// it is the registry, only its fingerprint can tell.
  package static func inquire(
    _ stream: ByteStream, prologue: [UInt8], time: Int = Limits.handshakeTime
  ) async throws(LinkError) -> LinkPublicKey {
    let deadline = Instant.now + time
    defer { stream.close() }
    let start = try begin { () throws(NoiseError) in
      try Handshake.initiator(pattern: .NX, prologue: prologue)
    }
    // -> e
    guard case .next(let afterFirst, let first) = start.write(payload: RawSpan()) else {
      throw .handshakeFailed
    }
    sendHandshake(first, opening: .inquiry, over: stream)
    // <- e, ee, s, es
    let second = try await receiveHandshake(from: stream, by: deadline)
    guard case .finished(let transport, let empty) = afterFirst.read(message: second.raw), empty.isEmpty,
      let key = transport.remoteStatic
    else { throw .handshakeFailed }
    return key
  }

  private static func tellKey(
    _ stream: ByteStream, _ prologue: [UInt8], _ local: LinkKeyPair, _ deadline: Instant
  ) async throws(LinkError) {
    let start = try begin { () throws(NoiseError) in
      try Handshake.responder(pattern: .NX, prologue: prologue, static: local)
    }
    let first = try await receiveHandshake(from: stream, by: deadline)
    guard case .next(let afterFirst, let empty) = start.read(message: first.raw), empty.isEmpty,
      case .finished(_, let second) = afterFirst.write(payload: RawSpan())
    else { throw .handshakeFailed }
    sendHandshake(second, over: stream)
  }

  private static func respond(
    _ stream: ByteStream, _ prologue: [UInt8], _ local: LinkKeyPair, _ payload: [UInt8], _ deadline: Instant
  ) async throws(LinkError) -> SealedLink {
    let start = try begin { () throws(NoiseError) in
      try Handshake.responder(pattern: .XK, prologue: prologue, static: local)
    }
    // -> e, es
    let first = try await receiveHandshake(from: stream, by: deadline)
    guard case .next(let afterFirst, let empty) = start.read(message: first.raw), empty.isEmpty else {
      throw .handshakeFailed
    }
    // <- e, ee
    guard case .next(let afterSecond, let second) = afterFirst.write(payload: payload.raw) else {
      throw .handshakeFailed
    }
    sendHandshake(second, over: stream)
    // -> s, se
    let third = try await receiveHandshake(from: stream, by: deadline)
    guard case .finished(let transport, let received) = afterSecond.read(message: third.raw),
      let remote = transport.remoteStatic
    else { throw .handshakeFailed }
    return SealedLink(
      stream, transport, isInitiator: false, remoteKey: remote, remotePayload: received)
  }

  /// The `answer` of who has nothing to say and expects to be told nothing, as with a registry.
  package nonisolated static func expectNothing(_ payload: [UInt8]) throws(LinkError) -> [UInt8] {
    guard payload.isEmpty else { throw .peerRefused }
    return []
  }

  private static func begin(
    _ make: () throws(NoiseError) -> Handshake
  ) throws(LinkError) -> Handshake {
    do throws(NoiseError) { return try make() } catch { throw .handshakeFailed }
  }

  private static func sendHandshake(
    _ message: [UInt8], opening: Opening? = nil, over stream: ByteStream
  ) {
    if let opening { stream.write([opening.rawValue].raw) }
    stream.write([UInt8(message.count >> 8), UInt8(message.count & 0xff)].raw)
    stream.write(message.raw)
    stream.flush()
  }

  private static func receiveOpening(
    from stream: ByteStream, by deadline: Instant
  ) async throws(LinkError) -> Opening {
    do throws(NetError) { try await stream.fill(atLeast: 1, deadline: deadline) } catch {
      throw .network(error)
    }
    defer { stream.consume(1) }
    let byte = stream.withBuffered { (bytes: inout MutableRawSpan) in
      unsafe bytes.bytes.unsafeLoad(as: UInt8.self)
    }
    guard let opening = Opening(rawValue: byte) else { throw .handshakeFailed }
    return opening
  }

  private static func receiveHandshake(
    from stream: ByteStream, by deadline: Instant
  ) async throws(LinkError) -> [UInt8] {
    do throws(NetError) {
      try await stream.fill(atLeast: 2, deadline: deadline)
      let length = stream.withBuffered { (bytes: inout MutableRawSpan) in frameLength(bytes.bytes) }
      guard length <= Limits.handshakeMessage else { throw .overflow }
      try await stream.fill(atLeast: 2 + length, deadline: deadline)
      defer { stream.consume(2 + length) }
      return stream.withBuffered { (bytes: inout MutableRawSpan) in
        bytes.bytes.extracting(2..<2 + length).array
      }
    } catch { throw .network(error) }
  }
}
