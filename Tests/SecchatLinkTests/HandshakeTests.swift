import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  @Suite struct HandshakeTests {
    @Test @LoopActor func `both sides know each other and the session`() async throws {
      let pair = try await Pair.make()
      let shake = await Shake.over(pair.near, pair.far, payloads: ([1, 2], [3, 4, 5]))
      let (near, far) = (try shake.initiator.get(), try shake.responder.get())
      #expect(near.remoteKey == Keys.responder.publicKey)
      #expect(far.remoteKey == Keys.initiator.publicKey)
      #expect(near.remotePayload == [1, 2])
      #expect(far.remotePayload == [3, 4, 5])
      #expect(near.handshakeHash == far.handshakeHash && near.handshakeHash.count == 32)
      #expect(near.isInitiator && !far.isInitiator)
    }

    @Test @LoopActor func `messages go both ways`() async throws {
      let (near, far) = try await Shake.link()
      for request: UInt32 in 0..<100 {
        near.send(Heartbeat(request: request))
        near.flush()
        #expect(try await far.next() == Received(Heartbeat(request: request)))
        far.send(Alive(request: request, life: 9))
        far.flush()
        #expect(try await near.next() == Received(Alive(request: request, life: 9)))
      }
    }

    @Test @LoopActor func `every session has other keys`() async throws {
      let (first, second) = (try await Shake.link().0, try await Shake.link().0)
      #expect(first.handshakeHash != second.handshakeHash)
    }

    @Test @LoopActor func `a byte at a time will do`() async throws {
      let (near, far) = try await Shake.link { _, _, message in message.map { .bytes([$0]) } }
      near.send(Heartbeat(request: 1))
      near.flush()
      #expect(try await far.next() == Received(Heartbeat(request: 1)))
      far.send(Alive(request: 1, life: 2))
      far.flush()
      #expect(try await near.next() == Received(Alive(request: 1, life: 2)))
    }

    // MARK: What does not fit

    @Test @LoopActor func `another key than the responder's is refused in silence`() async throws {
      let relay = try await Relay.make(Relay.nothing)
      let shake = await Shake.over(relay.initiator, relay.responder, remote: Keys.stranger.publicKey)
      #expect(shake.responder.error == .handshakeFailed)
      #expect(shake.initiator.error != nil)
      #expect(relay.sent[.responder] == nil)
    }

    @Test @LoopActor func `another prologue is refused in silence`() async throws {
      for other in [[], Keys.prologue + [0], Prologue.registry] {
        let relay = try await Relay.make(Relay.nothing)
        let shake = await Shake.over(relay.initiator, relay.responder, prologues: (Keys.prologue, other))
        #expect(shake.responder.error == .handshakeFailed)
        #expect(shake.initiator.error != nil)
        #expect(relay.sent[.responder] == nil)
      }
    }

    @Test @LoopActor func `a responder that is refused learns nothing of the initiator`() async throws {
      let relay = try await Relay.make(Relay.nothing)
      let (near, far) = (relay.initiator, relay.responder)
      async let responder = result { () throws(LinkError) in
        try await SealedLink.accept(far, prologue: Keys.prologue, local: Keys.responder, payload: [7])
      }
      let initiator = await result { () throws(LinkError) in
        try await SealedLink.connect(
          near, prologue: Keys.prologue, local: Keys.initiator, remote: Keys.responder.publicKey
        ) { (payload) throws(LinkError) in
          #expect(payload == [7])
          throw .peerRefused
        }
      }
      #expect(initiator.error == .peerRefused)
      #expect(await responder.error != nil)
      // The opening byte and the first message: no third.
      #expect(relay.sent[.initiator] == 1 + 2 + 48)
    }

    @Test @LoopActor func `who expects to be told nothing refuses to be told something`() async throws {
      let relay = try await Relay.make(Relay.nothing)
      let (near, far) = (relay.initiator, relay.responder)
      async let responder = result { () throws(LinkError) in
        try await SealedLink.accept(far, prologue: Keys.prologue, local: Keys.responder, payload: [7])
      }
      let initiator = await result { () throws(LinkError) in
        try await SealedLink.connect(
          near, prologue: Keys.prologue, local: Keys.initiator, remote: Keys.responder.publicKey)
      }
      #expect(initiator.error == .peerRefused)
      #expect(await responder.error != nil)
      // The opening byte and the first message: no third.
      #expect(relay.sent[.initiator] == 1 + 2 + 48)
    }

    // MARK: Tampering

    /// Each message by who sends it, which of theirs it is, and its length with length.
    private static let messages: [(Relay.Side, Int, Int)] = [
      (.initiator, 0, 1), (.initiator, 1, 2 + 48), (.responder, 0, 2 + 48 + 4), (.initiator, 2, 2 + 64 + 4),
    ]

    @Test(arguments: messages.indices) @LoopActor
    func `a changed byte ends the handshake on both sides`(_ which: Int) async throws {
      let (side, index, count) = Self.messages[which]
      for byte in 0..<count {
        // In a length each bit says something else; elsewhere one will do, and the top bit of a key is no part of it.
        let masks: [UInt8] = count == 1 || byte < 2 ? (0..<8).map { 1 << $0 } : [0x01, 0x80]
        for mask in masks { try await expectFailure(side, index, byte, mask) }
      }
    }

    @Test(.long, arguments: messages.indices) @LoopActor
    func `every changed bit ends the handshake on both sides`(_ which: Int) async throws {
      let (side, index, count) = Self.messages[which]
      for byte in 0..<count {
        for bit in 0..<8 { try await expectFailure(side, index, byte, 1 << bit) }
      }
    }

    @LoopActor private func expectFailure(_ side: Relay.Side, _ index: Int, _ byte: Int, _ mask: UInt8)
      async throws
    {
      let relay = try await Relay.make(Relay.flipping(side, index, byte: byte, mask: mask))
      // A longer length is waited for in vain.
      let shake = await Shake.over(
        relay.initiator, relay.responder, payloads: ([1, 2, 3, 4], [5, 6, 7, 8]),
        time: byte < 2 ? 150 : 20_000)
      let place = "\(side) \(index), byte \(byte) ^ \(mask)"
      #expect(shake.responder.error != nil, "\(place)")
      switch shake.initiator {
      case .failure: break
      case .success(let link):
        // It has sent the last message and cannot know yet; nothing comes, and the end does.
        #expect(side == .initiator && index == 2, "\(place)")
        link.send(Heartbeat(request: 1))
        let (messages, error) = await link.rest()
        #expect(messages.isEmpty, "\(place)")
        #expect(error == .network(.closed) || error == .network(.reset), "\(place)")
      }
      if side == .initiator, index < 2 { #expect(relay.sent[.responder] == nil, "\(place)") }
    }

    @Test @LoopActor func `a handshake cut anywhere fails on both sides`() async throws {
      for (side, index, count) in Self.messages {
        for cut in 0..<count {
          let relay = try await Relay.make { from, number, message in
            from == side && number == index ? [.bytes(Array(message[..<cut])), .end] : [.bytes(message)]
          }
          let shake = await Shake.over(
            relay.initiator, relay.responder, payloads: ([1, 2, 3, 4], [5, 6, 7, 8]))
          #expect(shake.responder.error != nil, "\(side) \(index) at \(cut)")
          if case .success(let link) = shake.initiator {
            #expect(side == .initiator && index == 2)
            #expect(await link.rest().0.isEmpty)
          }
        }
      }
    }

    @Test @LoopActor func `a repeated message fails`() async throws {
      for (side, index, _) in Self.messages.dropFirst() {
        let relay = try await Relay.make { from, number, message in
          from == side && number == index ? [.bytes(message), .bytes(message)] : [.bytes(message)]
        }
        let shake = await Shake.over(relay.initiator, relay.responder)
        async let near = rest(shake.initiator)
        async let far = rest(shake.responder)
        for (messages, error) in [await near, await far] {
          #expect(messages.isEmpty && error != .closed(.done), "\(side) \(index)")
        }
        // A copy of a side's last message stands where its first frame should.
        if (side, index) == (.responder, 0) { #expect(await near.1 == .integrity) }
        if (side, index) == (.initiator, 2) { #expect(await far.1 == .integrity) }
      }
    }

    /// What a link got until its end, where there is a link.
    @LoopActor private func rest(_ result: LinkResult) async -> ([Received], LinkError) {
      switch result {
      case .success(let link): await link.rest()
      case .failure(let error): ([], error)
      }
    }

    @Test @LoopActor func `a recorded initiator is answered, and gets no further`() async throws {
      var recorded: [UInt8] = []
      let (near, far) = try await Shake.link { side, index, message in
        if side == .initiator, index < 3 { recorded += message }
        return [.bytes(message)]
      }
      near.close()
      far.close()
      let pair = try await Pair.make()
      pair.near.send(recorded)
      let again = await result { () throws(LinkError) in
        try await SealedLink.accept(pair.far, prologue: Keys.prologue, local: Keys.responder)
      }
      #expect(again.error == .handshakeFailed)
    }

    // MARK: Probers

    @Test(arguments: [0, 2, 3, 22, 71, 128, 255] as [UInt8]) @LoopActor
    func `another opening byte is answered by nothing`(_ opening: UInt8) async throws {
      try await expectSilence([opening, 0, 48] + [UInt8](repeating: 9, count: 48))
    }

    @Test @LoopActor func `a prober without the key is answered by nothing`() async throws {
      try await expectSilence([1, 0, 48] + [UInt8](repeating: 9, count: 48))
      try await expectSilence([1, 0, 48] + [UInt8](repeating: 0, count: 48))
      try await expectSilence([1, 0, 0])
      try await expectSilence([1, 0, 47] + [UInt8](repeating: 9, count: 47))
      try await expectSilence(Array("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".utf8))
      try await expectSilence(Array("\u{1}\u{2} GET / HTTP/1.1\r\n".utf8))
    }

    @Test @LoopActor func `a message over the limit is refused before it comes`() async throws {
      #expect(try await expectSilence([1, 0x10, 0x01]) == .network(.overflow))
    }

    @Test @LoopActor func `a first message with a payload is refused`() async throws {
      let start = try HandshakeState<SHA256>.initiator(
        pattern: .XK, prologue: Keys.prologue, static: Keys.initiator, remoteStatic: Keys.responder.publicKey)
      let payload: [UInt8] = [1]
      guard case .next(_, let message) = start.write(payload: payload.raw) else {
        Issue.record("no message")
        return
      }
      #expect(try await expectSilence([1] + RawPeer.framed(message)) == .handshakeFailed)
    }

    /// The responder's error for what a prober sends, which hears nothing but the end.
    @discardableResult @LoopActor private func expectSilence(
      _ bytes: [UInt8], location: SourceLocation = #_sourceLocation
    ) async throws -> LinkError? {
      let pair = try await Pair.make()
      pair.near.send(bytes)
      let outcome = await result { () throws(LinkError) in
        try await SealedLink.accept(pair.far, prologue: Keys.prologue, local: Keys.responder, time: 300)
      }
      #expect(outcome.error != nil, sourceLocation: location)
      let (answer, _) = await pair.near.readToEnd()
      #expect(answer.isEmpty, sourceLocation: location)
      return outcome.error
    }

    // MARK: Deadlines

    @Test @LoopActor func `a silent initiator is cut off`() async throws {
      for bytes in [[], [1], [1, 0], [1, 0, 48, 7]] as [[UInt8]] {
        let started = Loop.now
        let error = try await expectSilence(bytes)
        #expect(error == .network(.timedOut))
        #expect(250...8_000 ~= Loop.now - started)
      }
    }

    @Test @LoopActor func `a slow initiator is cut off, however often something comes`() async throws {
      let pair = try await Pair.make()
      let drip = Loop.spawn {
        do {
          for byte in [1, 0, 48] + [UInt8](repeating: 7, count: 40) {
            pair.near.send([byte])
            try await Loop.sleep(for: 250)
          }
        } catch {}
      }
      defer { drip.cancel() }
      let started = Loop.now
      let outcome = await result { () throws(LinkError) in
        try await SealedLink.accept(pair.far, prologue: Keys.prologue, local: Keys.responder, time: 300)
      }
      #expect(outcome.error == .network(.timedOut))
      #expect(Loop.now - started < 8_000)
    }

    @Test @LoopActor func `a silent responder is given up`() async throws {
      let pair = try await Pair.make()
      let outcome = await result { () throws(LinkError) in
        try await SealedLink.connect(
          pair.near, prologue: Keys.prologue, local: Keys.initiator, remote: Keys.responder.publicKey,
          time: 200
        )
      }
      #expect(outcome.error == .network(.timedOut))
    }
  }
}
