import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  /// What a relay does to frames is noticed at once, and nothing is delivered twice.
  @Suite struct FrameTests {
    /// The first frame of a side, as the relay counts: after the opening byte and the handshake's messages.
    private static func firstFrame(_ side: Relay.Side) -> Int { side == .initiator ? 3 : 1 }

    /// What the other side gets of five messages when the frames go through `tamper`, frame 0 being the first.
    @LoopActor private func deliver(
      from side: Relay.Side, closing: Bool = true,
      _ tamper: @escaping @LoopActor (Int, [UInt8]) -> [Relay.Piece]
    ) async throws -> (got: [UInt32], error: LinkError, sender: SealedLink) {
      let (near, far) = try await Shake.link { from, index, message in
        let frame = index - Self.firstFrame(side)
        return from == side && frame >= 0 ? tamper(frame, message) : [.bytes(message)]
      }
      let (sender, receiver) = side == .initiator ? (near, far) : (far, near)
      for request: UInt32 in 0..<5 { sender.send(Heartbeat(request: request)) }
      sender.flush()
      if closing { sender.close() }
      let (messages, error) = await receiver.rest()
      return (messages.map { $0.body.reduce(0) { $0 << 8 | UInt32($1) } }, error, sender)
    }

    @Test @LoopActor func `a frame over its reader's limit ends the link before it comes`() async throws {
      for isWithin in [true, false] {
        let (raw, link) = try await RawPeer.linked()
        let frame = try raw.seal(Heartbeat(request: 1).encoded)
        link.frameLimit = frame.count - (isWithin ? 2 : 3)
        raw.stream.send(isWithin ? frame : Array(frame.prefix(2)))
        let outcome = await result { () throws(LinkError) in try await link.next() }
        if isWithin {
          #expect(try outcome.get() == Received(Heartbeat(request: 1)))
        } else {
          #expect(outcome.error == .protocolError)
        }
      }
    }

    static let sides: [Relay.Side] = [.initiator, .responder]

    @Test(arguments: sides) @LoopActor func `untouched, all arrives`(_ side: Relay.Side) async throws {
      let (got, error, _) = try await deliver(from: side) { _, frame in [.bytes(frame)] }
      #expect(got == [0, 1, 2, 3, 4])
      #expect(error == .closed(.done))
    }

    @Test(arguments: sides) @LoopActor func `a replayed frame ends the link`(_ side: Relay.Side) async throws
    {
      for replayed in 0..<3 {
        let (got, error, _) = try await deliver(from: side) { index, frame in
          index == replayed ? [.bytes(frame), .bytes(frame)] : [.bytes(frame)]
        }
        #expect(got == Array(0...UInt32(replayed)))
        #expect(error == .integrity)
      }
    }

    @Test(arguments: sides) @LoopActor func `an old frame ends the link`(_ side: Relay.Side) async throws {
      var first: [UInt8] = []
      let (got, error, _) = try await deliver(from: side) { index, frame in
        if index == 0 { first = frame }
        return index == 3 ? [.bytes(first)] : [.bytes(frame)]
      }
      #expect(got == [0, 1, 2])
      #expect(error == .integrity)
    }

    @Test(arguments: sides) @LoopActor func `frames out of order end the link`(_ side: Relay.Side)
      async throws
    {
      var held: [UInt8] = []
      let (got, error, _) = try await deliver(from: side) { index, frame in
        switch index {
        case 1:
          held = frame
          return []
        case 2: return [.bytes(frame), .bytes(held)]
        default: return [.bytes(frame)]
        }
      }
      #expect(got == [0])
      #expect(error == .integrity)
    }

    @Test(arguments: sides) @LoopActor func `a dropped frame ends the link`(_ side: Relay.Side) async throws {
      for dropped in 0..<4 {
        let (got, error, _) = try await deliver(from: side) { index, frame in
          index == dropped ? [] : [.bytes(frame)]
        }
        #expect(got == Array(0..<UInt32(dropped)))
        #expect(error == .integrity)
      }
    }

    @Test(arguments: sides) @LoopActor
    func `a frame sent back to its sender ends the link`(_ side: Relay.Side) async throws {
      var own: [UInt8] = []
      let (near, far) = try await Shake.link { from, index, message in
        let other: Relay.Side = side == .initiator ? .responder : .initiator
        if from == side, index == Self.firstFrame(side) { own = message }
        if from == other, index == Self.firstFrame(other) { return [.bytes(own)] }
        return [.bytes(message)]
      }
      let (sender, receiver) = side == .initiator ? (near, far) : (far, near)
      sender.send(Heartbeat(request: 1))
      sender.flush()
      _ = try await receiver.next()
      receiver.send(Heartbeat(request: 1))
      receiver.flush()
      let (messages, error) = await sender.rest()
      #expect(messages.isEmpty && error == .integrity)
    }

    @Test(arguments: sides) @LoopActor func `every changed byte ends the link`(_ side: Relay.Side)
      async throws
    {
      for byte in 0..<Self.heartbeat {
        for mask: UInt8 in byte < 2 ? [1, 2, 4, 8, 16, 32, 64, 128] : [1, 128] {
          try await expectEnd(side, byte, mask)
        }
      }
    }

    @Test(.long, arguments: sides) @LoopActor func `every changed bit ends the link`(_ side: Relay.Side)
      async throws
    {
      for byte in 0..<Self.heartbeat {
        for bit in 0..<8 { try await expectEnd(side, byte, 1 << bit) }
      }
    }

    /// Bytes of a frame here: length, type, number, tag.
    private static let heartbeat = 2 + 1 + 4 + 16

    @LoopActor private func expectEnd(_ side: Relay.Side, _ byte: Int, _ mask: UInt8) async throws {
      let (got, error, sender) = try await deliver(from: side) { index, frame in
        var changed = frame
        if index == 1 { changed[byte] ^= mask }
        return [.bytes(changed)]
      }
      #expect(got == [0], "byte \(byte) ^ \(mask)")
      if byte >= 2 { #expect(error == .integrity, "byte \(byte) ^ \(mask)") }
      if case .closed = error { Issue.record("byte \(byte) ^ \(mask): an end in order") }
      #expect(sender.isClosed)
    }

    @Test(arguments: sides) @LoopActor
    func `the sender of a changed frame sees the link end`(_ side: Relay.Side) async throws {
      let (_, error, sender) = try await deliver(from: side, closing: false) { index, frame in
        var changed = frame
        if index == 0 { changed[5] ^= 1 }
        return [.bytes(changed)]
      }
      #expect(error == .integrity)
      let (messages, end) = await sender.rest()
      #expect(messages.isEmpty)
      #expect(end == .network(.reset) || end == .network(.closed))
      #expect(sender.isClosed)
    }

    @Test(arguments: sides) @LoopActor func `a cut is no end`(_ side: Relay.Side) async throws {
      for cut in 0..<23 {
        let (got, error, _) = try await deliver(from: side) { index, frame in
          index == 2 ? [.bytes(Array(frame[..<cut])), .end] : [.bytes(frame)]
        }
        #expect(got == [0, 1])
        #expect(error == .network(.closed), "cut at \(cut)")
      }
    }

    @Test(arguments: sides) @LoopActor func `without CLOSE there is no end in order`(_ side: Relay.Side)
      async throws
    {
      let (got, error, _) = try await deliver(from: side) { index, frame in
        index == 5 ? [.end] : [.bytes(frame)]
      }
      #expect(got == [0, 1, 2, 3, 4])
      #expect(error == .network(.closed))
    }

    // MARK: What authenticates and is no message

    @Test(
      arguments: [
        [], [0x00], [0x05], [0x99], [0xff], [0x01, 0x00], [0x02, 0x00], [0x03, 0x00], [0x04], [0x04, 0x05],
        [0x04, 0x00, 0x00],
      ] as [[UInt8]]) @LoopActor
    func `what is no message ends the link`(_ plaintext: [UInt8]) async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send(try raw.seal(plaintext))
      raw.stream.send(try raw.seal(Heartbeat(request: 1).encoded))
      let (messages, error) = await link.rest()
      #expect(messages.isEmpty)
      #expect(error == .protocolError)
      #expect(link.isClosed)
      #expect(await raw.stream.readToEnd().0.isEmpty)
    }

    @Test @LoopActor func `what its user cannot read ends the link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send(try raw.seal(Heartbeat(request: 1).encoded + [0]))
      let outcome = await result { () throws(LinkError) in
        try await link.receive { (type, body) throws(WireError) in try RegistryRequest(type: type, body: body)
        }
      }
      #expect(outcome.error == .protocolError)
      #expect(link.isClosed)
    }

    @Test(arguments: [0, 1, 15, 16]) @LoopActor
    func `a frame too short for anything ends the link`(_ length: UInt8) async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send([0, length] + [UInt8](repeating: 7, count: Int(length)))
      let (messages, error) = await link.rest()
      #expect(messages.isEmpty && error == .protocolError)
    }

    @Test @LoopActor func `garbage ends the link`() async throws {
      for seed: UInt8 in 1...20 {
        let (raw, link) = try await RawPeer.linked()
        raw.stream.send((0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37) ^ seed &* 29 })
        raw.stream.close()
        let (messages, error) = await link.rest()
        #expect(messages.isEmpty)
        #expect([.integrity, .protocolError, .network(.closed)].contains(error))
      }
    }

    // MARK: The largest

    @Test @LoopActor func `the largest frame passes`() async throws {
      let (raw, link) = try await RawPeer.linked()
      let body = (0..<Limits.framePlaintext - 1).map { UInt8(truncatingIfNeeded: $0) }
      raw.stream.send(try raw.seal([FrameType.chunk.rawValue] + body))
      #expect(try await link.next() == Received(.chunk, body))
    }
  }
}
