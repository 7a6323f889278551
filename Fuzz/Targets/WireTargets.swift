internal import SecchatCore
internal import SecchatCrypto

extension FuzzTarget {
  static let wire: [FuzzTarget] = [
    frame("registry-request", seeds: Samples.requests) { (type, body) throws(WireError) in
      try RegistryRequest(type: type, body: body).message
    },
    frame("registry-answer", seeds: Samples.answers) { (type, body) throws(WireError) in
      try RegistryAnswer(type: type, body: body).message
    },
    frame("peer-message", seeds: Samples.peerMessages) { (type, body) throws(WireError) in
      try PeerMessage(type: type, body: body).message
    },
    frame("link-control", seeds: Samples.linkControl) { (type, body) throws(WireError) in
      switch type {
      case .ping: try Ping(wholeBody: body)
      case .pong: try Pong(wholeBody: body)
      case .rekey: try Rekey(wholeBody: body)
      case .close: try Close(wholeBody: body)
      default: throw .malformed
      }
    },
    FuzzTarget("chunk", seeds: [[0, 0, 0, 1, 0xff], [0, 0, 0, 9] + Samples.bytes(300)]) { bytes in
      do throws(WireError) {
        var reader = WireReader(bytes.raw)
        let header = try ChunkHeader(body: &reader)
        var writer = WireWriter()
        writer.u32(header.stream)
        writer.raw(reader.takeRest())
        return .same(writer.bytes, as: bytes)
      } catch { return .refused }
    },
    FuzzTarget("content", isExact: true, seeds: Samples.contents.map(\.encoded)) { bytes in
      do throws(WireError) {
        return .same(try Content(decoding: bytes.raw).encoded, as: bytes)
      } catch { return .refused }
    },
    FuzzTarget("correspondence", isExact: true, seeds: [Samples.correspondence]) { bytes in
      do throws(WireError) {
        let state = try Correspondence(decoding: bytes.raw)
        return .same(state.encoded.withBytes { $0.array }, as: bytes)
      } catch { return .refused }
    },
    FuzzTarget("hello", isExact: true, seeds: [Hello(device: 1, list: Samples.signedList).encoded]) { bytes in
      do throws(SignedDeviceList.Failure) {
        return .same(try Hello(decoding: bytes.raw).encoded, as: bytes)
      } catch { return .refused }
    },
  ]

  /// A decoder of a frame's plaintext: its type byte, then its body.
  private static func frame(
    _ name: String, seeds: [any WireMessage],
    decode: @escaping @Sendable (FrameType, RawSpan) throws(WireError) -> any WireMessage
  ) -> FuzzTarget {
    FuzzTarget(name, isExact: true, seeds: seeds.map(\.encoded)) { bytes in
      guard let first = bytes.first, let type = FrameType(rawValue: first) else { return .refused }
      do throws(WireError) {
        return .same(try decode(type, bytes.raw.extracting(1..<bytes.count)).encoded, as: bytes)
      } catch { return .refused }
    }
  }
}

extension RegistryRequest {
  fileprivate var message: any WireMessage {
    switch self {
    case .register(let message): message
    case .login(let message): message
    case .list(let message): message
    case .lookup(let message): message
    case .heartbeat(let message): message
    case .logout(let message): message
    case .watch(let message): message
    case .publish(let message): message
    case .fetch(let message): message
    }
  }
}

extension RegistryAnswer {
  fileprivate var message: any WireMessage {
    switch self {
    case .registered(let message): message
    case .loggedIn(let message): message
    case .listed(let message): message
    case .found(let message): message
    case .alive(let message): message
    case .loggedOut(let message): message
    case .watching(let message): message
    case .published(let message): message
    case .bundle(let message): message
    case .failure(let message): message
    case .presence(let message): message
    case .stock(let message): message
    }
  }
}

extension PeerMessage {
  fileprivate var message: any WireMessage {
    switch self {
    case .ready(let message): message
    case .chat(let message): message
    case .ack(let message): message
    case .refuse(let message): message
    case .inquire(let message): message
    case .prekeys(let message): message
    case .offer(let message): message
    case .accept(let message): message
    case .entry(let message): message
    case .end(let message): message
    case .cancel(let message): message
    case .resume(let message): message
    }
  }
}
