internal import SecchatCore
internal import SecchatCrypto

extension FuzzTarget {
  /// A handshake and the frames after it between two honest sides, with the input deciding what happens on the way.
  static let twoParty: [FuzzTarget] = [
    FuzzTarget(
      "two-party",
      seeds: [
        [0], [1], [2], [3, 1, 7, 0x80], [0, 0, 0, 0, 2, 5, 1, 3, 0, 4], [1, 0, 0, 1, 40, 8, 0, 0, 3, 3],
      ]
    ) { bytes in
      var path = HostilePath(bytes)
      return path.play()
    }
  ]
}

/// What somebody on the way does, read from the input; an input that has run out leaves everything alone.
private struct HostilePath {
  private var decisions: ArraySlice<UInt8>
  private var seen: [[UInt8]] = []
  /// Whether every message that was taken was the one sent.
  private var untouched = true

  init(_ decisions: [UInt8]) { self.decisions = decisions.prefix(256) }

  private mutating func next() -> UInt8 { decisions.popFirst() ?? 0 }

  /// What arrives in place of `message`.
  private mutating func pass(_ message: [UInt8]) -> [UInt8] {
    var arriving = message
    switch next() % 6 {
    case 1:
      let position = Int(next()) &* 7 % max(1, arriving.count)
      if !arriving.isEmpty { arriving[position] ^= max(1, next()) }
    case 2: arriving = Array(arriving.prefix(Int(next())))
    case 3: arriving += [next()]
    case 4: if let earlier = seen.randomElement(at: next()) { arriving = earlier }
    case 5: arriving = Samples.bytes(Int(next()))
    default: break
    }
    seen.append(message)
    return arriving
  }

  private static let patterns: [HandshakePattern] = [.XK, .XX, .NK, .IK, .NN, .KK]

  mutating func play() -> FuzzTarget.Outcome {
    let pattern = Self.patterns[Int(next()) % Self.patterns.count]
    do throws(NoiseError) {
      let initiator = Party(try side(pattern, .initiator))
      let responder = Party(try side(pattern, .responder))
      for index in pattern.messages.indices {
        let fromInitiator = pattern.writer(of: index) == .initiator
        let (writer, reader) = fromInitiator ? (initiator, responder) : (responder, initiator)
        let message = try writer.write(Samples.bytes(index * 11))
        let arriving = pass(message)
        do throws(NoiseError) {
          _ = try reader.read(arriving)
          if arriving != message { untouched = false }
        } catch {
          if arriving == message {
            // Whoever was deceived before may refuse the truth now; nobody else may.
            return untouched ? .broken("an honest message was refused") : .refused
          }
          // A refused message changes nothing: the true one is still good.
          do throws(NoiseError) { _ = try reader.read(message) } catch {
            return untouched ? .broken("a refused message left a trace") : .refused
          }
        }
      }
      guard let hash = initiator.handshakeHash, hash == responder.handshakeHash else {
        return .broken("both are done and do not agree")
      }
      guard untouched else { return .broken("both are done with a message that was not sent") }
      return try frames(initiator, responder)
    } catch { return .broken("an honest side could not write") }
  }

  private mutating func frames(
    _ initiator: Party, _ responder: Party
  ) throws(NoiseError) -> FuzzTarget.Outcome {
    for round in 0..<6 {
      let (writer, reader) = round % 3 == 0 ? (responder, initiator) : (initiator, responder)
      let text = Samples.bytes(Int(next()))
      let message = try writer.write(text)
      let arriving = pass(message)
      if arriving != message {
        do throws(NoiseError) {
          _ = try reader.read(arriving)
          return .broken("a frame that was not sent was opened")
        } catch {}
      }
      do throws(NoiseError) {
        guard try reader.read(message) == text else { return .broken("a frame says something else") }
      } catch { return .broken("an honest frame was refused") }
    }
    return .accepted
  }

  private func side(
    _ pattern: HandshakePattern, _ role: HandshakePattern.Role
  ) throws(NoiseError) -> HandshakeState<SHA256> {
    let mine = role == .initiator ? Samples.secret.link : Self.otherKey
    let theirs = role == .initiator ? Self.otherKey : Samples.secret.link
    let knowsTheirs = role == .initiator ? pattern.responderIsKnown : pattern.initiatorIsKnown
    let keys = (
      pattern.needsStatic(role) ? mine : nil as LinkKeyPair?,
      knowsTheirs ? theirs.publicKey : nil as LinkPublicKey?
    )
    return role == .initiator
      ? try .initiator(pattern: pattern, prologue: [1, 2], static: keys.0, remoteStatic: keys.1)
      : try .responder(pattern: pattern, prologue: [1, 2], static: keys.0, remoteStatic: keys.1)
  }

  private static let otherKey: LinkKeyPair = {
    do { return LinkKeyPair(try AgreementPrivateKey(Samples.seed(6))) } catch {
      preconditionFailure("32 bytes are a key")
    }
  }()
}

extension [[UInt8]] {
  fileprivate func randomElement(at index: UInt8) -> [UInt8]? { isEmpty ? nil : self[Int(index) % count] }
}

/// One side, from its first message to its last.
private final class Party {
  private enum State: ~Copyable {
    case handshake(HandshakeState<SHA256>)
    case transport(TransportState)
    case moving
  }

  private var state: State

  init(_ handshake: consuming HandshakeState<SHA256>) { state = .handshake(handshake) }

  private func take() -> State {
    var taken = State.moving
    swap(&taken, &state)
    return taken
  }

  func write(_ payload: [UInt8]) throws(NoiseError) -> [UInt8] {
    switch take() {
    case .handshake(let handshake):
      switch handshake.write(payload: payload.raw) {
      case .next(let next, let message):
        state = .handshake(next)
        return message
      case .finished(let transport, let message):
        state = .transport(transport)
        return message
      case .refused(let same, let error):
        state = .handshake(same)
        throw error
      }
    case .transport(var transport):
      var buffer = payload + [UInt8](repeating: 0, count: 16)
      let result = Result { () throws(NoiseError) in
        try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
          try transport.sending.seal(inPlace: &span)
        }
      }
      state = .transport(transport)
      try result.get()
      return buffer
    case .moving: throw .outOfTurn
    }
  }

  func read(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
    switch take() {
    case .handshake(let handshake):
      switch handshake.read(message: message.raw) {
      case .next(let next, let payload):
        state = .handshake(next)
        return payload
      case .finished(let transport, let payload):
        state = .transport(transport)
        return payload
      case .rejected(let same, let error):
        state = .handshake(same)
        throw error
      }
    case .transport(var transport):
      var buffer = message
      let result = Result { () throws(NoiseError) in
        try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
          try transport.receiving.open(inPlace: &span)
        }
      }
      state = .transport(transport)
      try result.get()
      return Array(buffer.dropLast(16))
    case .moving: throw .outOfTurn
    }
  }

  var handshakeHash: [UInt8]? {
    switch state {
    case .transport(let transport): transport.handshakeHash
    default: nil
    }
  }
}
