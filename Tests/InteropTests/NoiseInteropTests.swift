import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Handshakes and frames over TCP with two Noise implementations in Python.
@Suite struct NoiseInteropTests {
  private struct Question: Encodable {
    let pattern: String
    let hash: String
    let role: String
    let port: UInt16
    let prologue: String
    let `private`: String?
    let remote: String?
    let frames: Int
    let rekeyBefore: Int
  }

  private struct Answer: Decodable {
    let handshakeHash: String
    let remote: String
    let payloads: [String]
  }

  private static let patterns: [HandshakePattern] = [.XK, .XX, .NK, .IK, .KK]
  private let prologue = Array("secchat interop".utf8)
  /// The payloads of the frames: none, some, the most that fits; a rekey comes before the fifth.
  private let payloads = [0, 1, 100, 65_519, 0, 1, 100, 65_519].map { count in
    (0..<count).map { UInt8(truncatingIfNeeded: $0) }
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["noiseprotocol", "dissononce"])
  func `both roles of every pattern with`(library: String) async throws {
    let peer = try Program.python("noise_peer.py", library)
    let listener = try LoopbackSocket.listening()
    for pattern in Self.patterns {
      for role in [HandshakePattern.Role.initiator, .responder] {
        try await meet(peer, listener, pattern, role, SHA256.self)
      }
    }
    try await meet(peer, listener, .XK, .initiator, SHA512.self)
    try await meet(peer, listener, .XK, .responder, BLAKE2b.self)
    peer.endInput()
    #expect(try await peer.finish() == 0, "\(peer.report)")
  }

  /// One session, in which this side has `role`.
  private func meet<Hash: HashFunction & ~Copyable>(
    _ peer: Program, _ listener: borrowing LoopbackSocket, _ pattern: HandshakePattern,
    _ role: HandshakePattern.Role, _: Hash.Type
  ) async throws {
    let theirSeed: FixedBytes<32> = Random.bytes()
    let theirs = LinkKeyPair(try AgreementPrivateKey(SecretBytes(theirSeed.array)))
    let ours = try LinkKeyPair.random()
    let theirRole: HandshakePattern.Role = role == .initiator ? .responder : .initiator
    let weKnowThem = role == .initiator ? pattern.responderIsKnown : pattern.initiatorIsKnown
    let theyKnowUs = role == .initiator ? pattern.initiatorIsKnown : pattern.responderIsKnown
    try peer.say(
      json: Question(
        pattern: pattern.name, hash: Hash.name, role: "\(theirRole)", port: listener.port,
        prologue: Hex.encode(prologue), private: pattern.needsStatic(theirRole) ? theirSeed.description : nil,
        remote: theyKnowUs ? ours.publicKey.raw.description : nil, frames: payloads.count, rekeyBefore: 4))

    let socket = try listener.accepted()
    let session = try HandshakeState<Hash>.start(
      pattern, role, prologue, static: pattern.needsStatic(role) ? ours : nil,
      remoteStatic: weKnowThem ? theirs.publicKey : nil)
    var transport = try complete(session, over: socket, messages: pattern.messages.count)
    #expect(transport.remoteStatic == (pattern.needsStatic(theirRole) ? theirs.publicKey : nil))

    for (index, payload) in payloads.enumerated() {
      if index == 4 {
        transport.sending.rekey()
        transport.receiving.rekey()
      }
      var frame = payload + [UInt8](repeating: 0, count: aeadTagLength)
      try frame.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
        try transport.sending.seal(inPlace: &span)
      }
      try socket.send(frame: frame)
      var reply = try socket.receiveFrame()
      try reply.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
        try transport.receiving.open(inPlace: &span)
      }
      #expect(reply.dropLast(aeadTagLength) == payload.reversed()[...])
    }

    let line = try await peer.line("the answer") { _ in true }
    let answer = try JSONDecoder().decode(Answer.self, from: Data(line.utf8))
    #expect(answer.handshakeHash == Hex.encode(transport.handshakeHash))
    #expect(answer.remote == (pattern.needsStatic(role) ? ours.publicKey.raw.description : ""))
    let written = pattern.messages.indices.filter { pattern.writer(of: $0) == role }
    #expect(answer.payloads == written.indices.map { "swift \($0)" })
  }

  /// Runs the handshake; `messages` says how many frames it takes at most.
  private func complete<Hash: HashFunction & ~Copyable>(
    _ start: consuming HandshakeState<Hash>, over socket: borrowing LoopbackSocket, messages: Int
  ) throws -> TransportState {
    var state = start
    var count = 0
    for _ in 0..<messages {
      if state.isWriting {
        let payload = Array("swift \(count)".utf8)
        switch state.write(payload: payload.raw) {
        case .next(let next, let message):
          count += 1
          try socket.send(frame: message)
          state = next
        case .finished(let transport, let message):
          try socket.send(frame: message)
          return transport
        case .refused(_, let error): throw error
        }
      } else {
        let frame = try socket.receiveFrame()
        switch state.read(message: frame.raw) {
        case .next(let next, let payload):
          #expect(payload.starts(with: Array("python ".utf8)))
          state = next
        case .finished(let transport, let payload):
          #expect(payload.starts(with: Array("python ".utf8)))
          return transport
        case .rejected(_, let error): throw error
        }
      }
    }
    throw NoiseError.outOfTurn
  }
}

extension HandshakeState where Hash: ~Copyable {
  fileprivate static func start(
    _ pattern: HandshakePattern, _ role: HandshakePattern.Role, _ prologue: [UInt8],
    static pair: LinkKeyPair?, remoteStatic: AgreementPublicKey<LinkPurpose>?
  ) throws(NoiseError) -> HandshakeState {
    switch role {
    case .initiator:
      try .initiator(pattern: pattern, prologue: prologue, static: pair, remoteStatic: remoteStatic)
    case .responder:
      try .responder(pattern: pattern, prologue: prologue, static: pair, remoteStatic: remoteStatic)
    }
  }
}
