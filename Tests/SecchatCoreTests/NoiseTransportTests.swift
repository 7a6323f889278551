import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct NoiseTransportTests {
  private let key = [UInt8](0..<32)

  private func state(messages: UInt64 = 0) throws -> CipherState {
    try .forTestingOnly(key: SecretBytes(key), messages: messages)
  }

  @Test func `the counter moves on success only`() throws {
    var sender = try state()
    var receiver = try state()
    let first = try sender.sealed([1, 2, 3])
    let second = try sender.sealed([4])
    #expect(sender.messages == 2)

    // Out of order, replayed, cut, grown, and every bit of it flipped.
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(second) }
    for position in first.indices {
      for bit in 0..<8 {
        var forged = first
        forged[position] ^= 1 << bit
        #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(forged) }
      }
    }
    for length in 0..<first.count {
      let error: NoiseError = length < 16 ? .messageTooShort : .authenticationFailed
      #expect(throws: error) { try receiver.opened(Array(first[..<length])) }
    }
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(first + [0]) }
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(first, authenticating: [0]) }
    #expect(receiver.messages == 0)

    #expect(try receiver.opened(first) == [1, 2, 3])
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(first) }
    #expect(try receiver.opened(second) == [4])
    #expect(receiver.messages == 2)
  }

  @Test func `other memory makes no other messages`() throws {
    var sender = try state()
    var apart = try state()
    var receiver = try state()
    var receiverApart = try state()
    for payload in [[], [1], [UInt8](0..<100)] as [[UInt8]] {
      let message = try sender.sealed(payload)
      #expect(try apart.sealedApart(payload) == message)
      for position in message.indices {
        var forged = message
        forged[position] ^= 1
        #expect(throws: NoiseError.authenticationFailed) { try receiverApart.openedApart(forged) }
      }
      for length in 0..<message.count {
        let error: NoiseError = length < 16 ? .messageTooShort : .authenticationFailed
        #expect(throws: error) { try receiverApart.openedApart(Array(message[..<length])) }
      }
      #expect(receiverApart.messages == receiver.messages)
      #expect(try receiver.opened(message) == payload)
      #expect(try receiverApart.openedApart(message) == payload)
    }
    #expect(apart.messages == 3 && receiverApart.messages == 3)
    let long = [UInt8](repeating: 0, count: 65_520)
    #expect(throws: NoiseError.messageTooLong) { try apart.sealedApart(long) }
    #expect(throws: NoiseError.messageTooLong) { try receiverApart.openedApart(long + long) }
    var last = try state(messages: .max)
    #expect(throws: NoiseError.nonceExhausted) { try last.sealedApart([1]) }
    #expect(throws: NoiseError.nonceExhausted) { try last.openedApart(long) }
  }

  @Test func `the last nonce is reserved`() throws {
    var sender = try state(messages: .max - 1)
    var receiver = try state(messages: .max - 1)
    let last = try sender.sealed([1])
    #expect(try receiver.opened(last) == [1])
    #expect(sender.messages == .max)
    #expect(throws: NoiseError.nonceExhausted) { try sender.sealed([2]) }
    #expect(throws: NoiseError.nonceExhausted) { try receiver.opened(last) }
    sender.rekey()
    // Rekeying makes a new key, not new nonces (section 11.3).
    #expect(throws: NoiseError.nonceExhausted) { try sender.sealed([2]) }
  }

  @Test func `the nonce is little-endian behind four zero bytes`() throws {
    let counter: UInt64 = 0x0102_0304_0506_0708
    var sender = try state(messages: counter)
    var expected: [UInt8] = [9] + [UInt8](repeating: 0, count: 16)
    let nonce: [UInt8] = [0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]
    try expected.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
      try AEADKey<ChaChaPoly>(SecretBytes(key)).seal(
        inPlace: &span, nonce: nonce.raw, authenticating: RawSpan())
    }
    #expect(try sender.sealed([9]) == expected)
  }

  @Test func `a rekey parts old from new and keeps the counter`() throws {
    var sender = try state()
    var receiver = try state()
    _ = try receiver.opened(try sender.sealed([1]))
    let under = try sender.sealed([2])
    sender.rekey()
    #expect(sender.messages == 2)
    let over = try sender.sealed([3])
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(over) }
    #expect(try receiver.opened(under) == [2])
    #expect(throws: NoiseError.authenticationFailed) { try receiver.opened(over) }
    receiver.rekey()
    #expect(try receiver.opened(over) == [3])
  }

  @Test func `the way back of a one-way pattern is closed`() throws {
    let key = try LinkKeyPair.random()
    let initiator = NoiseParty<SHA256>(
      try .initiator(pattern: .N, prologue: [], remoteStatic: key.publicKey))
    let responder = NoiseParty<SHA256>(try .responder(pattern: .N, prologue: [], static: key))
    _ = try responder.read(initiator.write([]))
    #expect(try responder.read(initiator.write([1])) == [1])
    #expect(throws: NoiseError.nonceExhausted) { try responder.write([2]) }
    #expect(throws: NoiseError.nonceExhausted) { try initiator.read([UInt8](repeating: 0, count: 17)) }
  }

  @Test func `directions do not mix`() throws {
    let initiator = NoiseParty<SHA256>(try .initiator(pattern: .NN, prologue: []))
    let responder = NoiseParty<SHA256>(try .responder(pattern: .NN, prologue: []))
    _ = try responder.read(initiator.write([]))
    _ = try initiator.read(responder.write([]))
    let message = try initiator.write([1])
    #expect(throws: NoiseError.authenticationFailed) { try initiator.read(message) }
    #expect(try responder.read(message) == [1])
  }
}
