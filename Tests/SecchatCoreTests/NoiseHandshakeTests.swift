import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct NoiseHandshakeTests {
  /// The pattern with both sides' keys as it wants them.
  private struct Pair {
    let initiator: NoiseParty<SHA256>
    let responder: NoiseParty<SHA256>
    let initiatorKey: AgreementPublicKey<LinkPurpose>
    let responderKey: AgreementPublicKey<LinkPurpose>
  }

  private func pair(
    _ pattern: HandshakePattern, prologues: ([UInt8], [UInt8]) = ([], []), psks: [[UInt8]] = []
  ) throws -> Pair {
    let (a, b) = (try LinkKeyPair.random(), try LinkKeyPair.random())
    let keys = try psks.map { try PresharedKey(SecretBytes($0)) }
    return Pair(
      initiator: NoiseParty(
        try .initiator(
          pattern: pattern, prologue: prologues.0, static: pattern.needsStatic(.initiator) ? a : nil,
          remoteStatic: pattern.responderIsKnown ? b.publicKey : nil, presharedKeys: keys)),
      responder: NoiseParty(
        try .responder(
          pattern: pattern, prologue: prologues.1, static: pattern.needsStatic(.responder) ? b : nil,
          remoteStatic: pattern.initiatorIsKnown ? a.publicKey : nil, presharedKeys: keys)),
      initiatorKey: a.publicKey, responderKey: b.publicKey)
  }

  private func payload(_ index: Int) -> [UInt8] { Array("payload \(index)".utf8) }

  /// Runs the handshake from message `start`, then one message each way.
  private func complete(_ pair: Pair, _ pattern: HandshakePattern, from start: Int = 0) throws {
    for index in start..<pattern.messages.count {
      let (writer, reader) = turn(pair, index)
      #expect(try reader.read(writer.write(payload(index))) == payload(index))
    }
    #expect(try pair.responder.read(pair.initiator.write([1])) == [1])
    if !pattern.isOneWay { #expect(try pair.initiator.read(pair.responder.write([2])) == [2]) }
    #expect(pair.initiator.handshakeHash != nil)
    #expect(pair.initiator.handshakeHash == pair.responder.handshakeHash)
  }

  private func turn(_ pair: Pair, _ index: Int) -> (NoiseParty<SHA256>, NoiseParty<SHA256>) {
    index.isMultiple(of: 2) ? (pair.initiator, pair.responder) : (pair.responder, pair.initiator)
  }

  @Test(arguments: HandshakePattern.all)
  func `every pattern completes and shows each side the other's key`(pattern: HandshakePattern) throws {
    let pair = try pair(pattern)
    try complete(pair, pattern)
    #expect(pair.initiator.remoteStatic == (pattern.needsStatic(.responder) ? pair.responderKey : nil))
    #expect(pair.responder.remoteStatic == (pattern.needsStatic(.initiator) ? pair.initiatorKey : nil))
  }

  @Test(arguments: ["XK", "XX", "NK", "IK", "XKpsk3", "NNpsk0", "KKpsk0+psk2", "X1X1"])
  func `every flipped byte is rejected and leaves the state as it was`(name: String) throws {
    let pattern = try HandshakePattern(name: name)
    let pair = try pair(
      pattern, psks: [[UInt8]](repeating: [UInt8](repeating: 7, count: 32), count: pattern.presharedKeyCount))
    for index in pattern.messages.indices {
      let (writer, reader) = turn(pair, index)
      let message = try writer.write(payload(index))
      // A first message of `e` alone is plaintext: nothing in it can be wrong before the answer.
      if message.count > 32 + payload(index).count {
        for position in message.indices {
          // The top bit of an X25519 public key has no value, yet it is hashed.
          for bit: UInt8 in [0x01, 0x80] {
            var forged = message
            forged[position] ^= bit
            #expect(throws: NoiseError.authenticationFailed) { try reader.read(forged) }
          }
        }
        for length in 0..<message.count {
          #expect(throws: NoiseError.self) { try reader.read(Array(message[..<length])) }
        }
        #expect(throws: NoiseError.authenticationFailed) { try reader.read(message + [0]) }
      }
      #expect(try reader.read(message) == payload(index))
    }
    try complete(pair, pattern, from: pattern.messages.count)
  }

  @Test(arguments: ["XX", "NN", "IX"])
  func `a plaintext first message that was changed fails at the answer`(name: String) throws {
    let pattern = try HandshakePattern(name: name)
    for position in 0..<40 {
      let pair = try pair(pattern)
      var message = try pair.initiator.write(payload(0))
      message[position] ^= 1
      // What follows e and s is payload in the clear, which is why no user data may travel in it.
      _ = try pair.responder.read(message)
      let answer = try pair.responder.write(payload(1))
      #expect(throws: NoiseError.authenticationFailed) { try pair.initiator.read(answer) }
    }
  }

  @Test func `a rejected key is not remembered`() throws {
    let pair = try pair(.XX)
    _ = try pair.responder.read(pair.initiator.write([]))
    var message = try pair.responder.write([])
    message[message.count - 1] ^= 1
    #expect(throws: NoiseError.authenticationFailed) { try pair.initiator.read(message) }
    #expect(pair.initiator.remoteStatic == nil)
    message[message.count - 1] ^= 1
    _ = try pair.initiator.read(message)
    #expect(pair.initiator.remoteStatic == pair.responderKey)
  }

  @Test func `another prologue is another handshake, an empty one included`() throws {
    let prologues: [([UInt8], [UInt8])] = [([1], [2]), ([], [0]), ([0], [0, 0])]
    for prologues in prologues {
      let pair = try pair(.XK, prologues: prologues)
      let message = try pair.initiator.write([])
      #expect(throws: NoiseError.authenticationFailed) { try pair.responder.read(message) }
    }
  }

  @Test func `another pattern, hash or pre-shared key is another handshake`() throws {
    let key = try LinkKeyPair.random()
    let initiator = NoiseParty<SHA256>(
      try .initiator(pattern: .NK, prologue: [], remoteStatic: key.publicKey))
    let message = try initiator.write([])
    let other = NoiseParty<BLAKE2b>(try .responder(pattern: .NK, prologue: [], static: key))
    #expect(throws: NoiseError.authenticationFailed) { try other.read(message) }
    let xk = NoiseParty<SHA256>(try .responder(pattern: .XK, prologue: [], static: key))
    #expect(throws: NoiseError.authenticationFailed) { try xk.read(message) }

    let pattern = try HandshakePattern(name: "NNpsk0")
    let psks = try [1, 2].map { try PresharedKey(SecretBytes([UInt8](repeating: $0, count: 32))) }
    let sealed = try NoiseParty<SHA256>(
      try .initiator(pattern: pattern, prologue: [], presharedKeys: [psks[0]])
    ).write([])
    let reader = NoiseParty<SHA256>(
      try .responder(pattern: pattern, prologue: [], presharedKeys: [psks[1]]))
    #expect(throws: NoiseError.authenticationFailed) { try reader.read(sealed) }
  }

  @Test func `a responder under another key cannot read the first message`() throws {
    let (right, wrong) = (try LinkKeyPair.random(), try LinkKeyPair.random())
    let initiator = NoiseParty<SHA256>(
      try .initiator(pattern: .XK, prologue: [], static: .random(), remoteStatic: right.publicKey))
    let responder = NoiseParty<SHA256>(try .responder(pattern: .XK, prologue: [], static: wrong))
    let message = try initiator.write([])
    #expect(throws: NoiseError.authenticationFailed) { try responder.read(message) }
  }

  @Test func `a recorded session does not run again`() throws {
    let responderKey = try LinkKeyPair.random()
    let initiator = NoiseParty<SHA256>(
      try .initiator(pattern: .XK, prologue: [], static: .random(), remoteStatic: responderKey.publicKey))
    func responder() throws -> NoiseParty<SHA256> {
      NoiseParty(try .responder(pattern: .XK, prologue: [], static: responderKey))
    }
    let (first, second) = (try responder(), try responder())
    let one = try initiator.write([])
    _ = try first.read(one)
    let two = try first.write([])
    _ = try initiator.read(two)
    let three = try initiator.write([])
    _ = try first.read(three)

    // The first message is the same to anyone; the third answers one ephemeral key only.
    _ = try second.read(one)
    let fresh = try second.write([])
    #expect(fresh != two)
    #expect(throws: NoiseError.authenticationFailed) { try second.read(three) }
  }

  @Test func `degenerate public keys are refused`() throws {
    let zero = [UInt8](repeating: 0, count: 32)
    let one = [1] + [UInt8](repeating: 0, count: 31)
    for key in [zero, one] {
      let pair = try pair(.NK)
      #expect(throws: NoiseError.authenticationFailed) {
        try pair.responder.read(key + [UInt8](repeating: 0, count: 16))
      }
      let towards = try #require(FixedBytes<32>(key) as FixedBytes<32>?)
      let initiator = NoiseParty<SHA256>(
        try .initiator(pattern: .NK, prologue: [], remoteStatic: AgreementPublicKey(towards)))
      #expect(throws: NoiseError.authenticationFailed) { try initiator.write([]) }
    }
  }

  @Test func `the turn is kept`() throws {
    let pair = try pair(.XX)
    #expect(throws: NoiseError.outOfTurn) { try pair.responder.write([]) }
    #expect(throws: NoiseError.outOfTurn) { try pair.initiator.read([UInt8](repeating: 0, count: 32)) }
    try complete(pair, .XX)
  }

  @Test func `messages end at 65,535 bytes both ways`() throws {
    let pair = try pair(.NK)
    let largest = NoiseLimits.messageLength - 32 - 16
    #expect(throws: NoiseError.messageTooLong) {
      try pair.initiator.write([UInt8](repeating: 1, count: largest + 1))
    }
    #expect(throws: NoiseError.messageTooLong) {
      try pair.responder.read([UInt8](repeating: 1, count: NoiseLimits.messageLength + 1))
    }
    let message = try pair.initiator.write([UInt8](repeating: 1, count: largest))
    #expect(message.count == NoiseLimits.messageLength)
    #expect(try pair.responder.read(message).count == largest)
    _ = try pair.initiator.read(pair.responder.write([]))

    let room = NoiseLimits.messageLength - 16
    #expect(throws: NoiseError.messageTooLong) {
      try pair.initiator.write([UInt8](repeating: 1, count: room + 1))
    }
    #expect(try pair.responder.read(pair.initiator.write([UInt8](repeating: 1, count: room))).count == room)
  }

  @Test func `keys that the pattern has no use for are refused, and missing ones`() throws {
    let pair = try LinkKeyPair.random()
    let psk = try PresharedKey(SecretBytes.random(count: 32))
    #expect(throws: NoiseError.wrongKeys) {
      _ = try HandshakeState<SHA256>.initiator(pattern: .XK, prologue: [], static: pair)
    }
    #expect(throws: NoiseError.wrongKeys) {
      _ = try HandshakeState<SHA256>.initiator(pattern: .XK, prologue: [], remoteStatic: pair.publicKey)
    }
    #expect(throws: NoiseError.wrongKeys) {
      _ = try HandshakeState<SHA256>.initiator(
        pattern: .XX, prologue: [], static: pair, remoteStatic: pair.publicKey)
    }
    #expect(throws: NoiseError.wrongKeys) {
      _ = try HandshakeState<SHA256>.responder(pattern: .NN, prologue: [], static: pair)
    }
    #expect(throws: NoiseError.wrongKeys) {
      _ = try HandshakeState<SHA256>.responder(pattern: .NN, prologue: [], presharedKeys: [psk])
    }
  }

  // A state that was written or read with is gone: `consuming` makes a second use of it a compile error ("consumed more
  // than once"), which is why no test here can reuse an ephemeral key by mistake.
}
