import SecchatCore
import SecchatCrypto
import TestSupport

/// One side of a Noise session, from its first message to its last, as tests drive it.
final class NoiseParty<Hash: HashFunction & ~Copyable> {
  private enum State: ~Copyable {
    case handshake(HandshakeState<Hash>)
    case transport(TransportState)
    case moving
  }

  private var state: State

  init(_ handshake: consuming HandshakeState<Hash>) { state = .handshake(handshake) }

  private func take() -> State {
    var taken = State.moving
    swap(&taken, &state)
    return taken
  }

  /// The next message, of the handshake or after it.
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
      let result = Result { () throws(NoiseError) in try transport.sending.sealed(payload) }
      state = .transport(transport)
      return try result.get()
    case .moving: throw .outOfTurn
    }
  }

  /// The payload of the other side's next message.
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
      let result = Result { () throws(NoiseError) in try transport.receiving.opened(message) }
      state = .transport(transport)
      return try result.get()
    case .moving: throw .outOfTurn
    }
  }

  func rekeySending() {
    guard case .transport(var transport) = take() else { return }
    transport.sending.rekey()
    state = .transport(transport)
  }

  func rekeyReceiving() {
    guard case .transport(var transport) = take() else { return }
    transport.receiving.rekey()
    state = .transport(transport)
  }

  /// The other side's key: during the handshake once known, and after it.
  var remoteStatic: AgreementPublicKey<LinkPurpose>? {
    switch state {
    case .handshake(let handshake): handshake.remoteStatic
    case .transport(let transport): transport.remoteStatic
    case .moving: nil
    }
  }

  /// The handshake hash, once finished.
  var handshakeHash: [UInt8]? {
    switch state {
    case .transport(let transport): transport.handshakeHash
    default: nil
    }
  }
}

extension CipherState {
  /// The payload as the next message, sealed into other memory.
  mutating func sealedApart(_ payload: [UInt8]) throws(NoiseError) -> [UInt8] {
    var message = [UInt8](repeating: 0xa5, count: payload.count + aeadTagLength)
    try message.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try seal(payload.raw, into: &span)
    }
    return message
  }

  /// The payload of the next message, opened into other memory.
  mutating func openedApart(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
    var payload = [UInt8](repeating: 0xa5, count: max(0, message.count - aeadTagLength))
    try payload.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try open(message.raw, into: &span)
    }
    return payload
  }

  /// The payload as the next message.
  mutating func sealed(_ payload: [UInt8], authenticating data: [UInt8] = []) throws(NoiseError) -> [UInt8] {
    var buffer = payload + [UInt8](repeating: 0, count: aeadTagLength)
    try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try seal(inPlace: &span, authenticating: data.raw)
    }
    return buffer
  }

  /// The payload of the next message.
  mutating func opened(_ message: [UInt8], authenticating data: [UInt8] = []) throws(NoiseError) -> [UInt8] {
    var buffer = message
    try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
      try open(inPlace: &span, authenticating: data.raw)
    }
    return buffer.dropLast(aeadTagLength)
  }
}

extension LinkKeyPair {
  convenience init(bytes: [UInt8]) throws {
    self.init(try AgreementPrivateKey(SecretBytes(bytes)))
  }
}
