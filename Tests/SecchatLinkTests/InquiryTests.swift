import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import Testing

extension LinkTests {
  @Suite struct InquiryTests {
    @LoopActor private func ask(
      _ tamper: @escaping Relay.Tamper = Relay.nothing, prologue: [UInt8] = Prologue.registry,
      time: Int = 20_000
    ) async throws -> (key: Result<LinkPublicKey, LinkError>, registry: Result<SealedLink?, LinkError>, Relay)
    {
      let relay = try await Relay.make(tamper)
      let (near, far) = (relay.initiator, relay.responder)
      async let registry = result { () throws(LinkError) in
        try await SealedLink.acceptOrTellKey(
          far, prologue: Prologue.registry, local: Keys.responder, time: time)
      }
      let key = await result { () throws(LinkError) in
        try await SealedLink.inquire(near, prologue: prologue, time: time)
      }
      return (key, await registry, relay)
    }

    @Test @LoopActor func `a registry tells its key`() async throws {
      let (key, registry, _) = try await ask()
      #expect(try key.get() == Keys.responder.publicKey)
      #expect(try registry.get() == nil)
    }

    @Test @LoopActor func `a registry still takes links`() async throws {
      let pair = try await Pair.make()
      async let registry = result { () throws(LinkError) in
        try await SealedLink.acceptOrTellKey(pair.far, prologue: Prologue.registry, local: Keys.responder)
      }
      let near = try await SealedLink.connect(
        pair.near, prologue: Prologue.registry, local: Keys.initiator, remote: Keys.responder.publicKey)
      let far = try #require(try await registry.get())
      near.send(Heartbeat(request: 3))
      near.flush()
      #expect(try await far.next() == Received(Heartbeat(request: 3)))
    }

    @Test @LoopActor func `a peer does not tell its key`() async throws {
      let relay = try await Relay.make(Relay.nothing)
      let (near, far) = (relay.initiator, relay.responder)
      async let peer = result { () throws(LinkError) in
        try await SealedLink.accept(far, prologue: Keys.prologue, local: Keys.responder)
      }
      let key = await result { () throws(LinkError) in
        try await SealedLink.inquire(near, prologue: Keys.prologue)
      }
      #expect(await peer.error == .handshakeFailed)
      #expect(key.error != nil)
      #expect(relay.sent[.responder] == nil)
    }

    @Test @LoopActor func `a key that comes with something else is refused`() async throws {
      for payload in [[], [1]] as [[UInt8]] {
        let pair = try await Pair.make()
        let registry = Loop.spawn { () async -> Void in
          do {
            #expect(try await pair.far.read(1) == [2])
            let first = Array(try await pair.far.readMessage().dropFirst(2))
            let start = try HandshakeState<SHA256>.responder(
              pattern: .NX, prologue: Keys.prologue, static: Keys.responder)
            guard case .next(let next, _) = start.read(message: first.raw),
              case .finished(_, let second) = next.write(payload: payload.raw)
            else { throw LinkError.handshakeFailed }
            pair.far.send(RawPeer.framed(second))
          } catch { Issue.record(error) }
        }
        let key = await result { () throws(LinkError) in
          try await SealedLink.inquire(pair.near, prologue: Keys.prologue)
        }
        if payload.isEmpty {
          #expect(try key.get() == Keys.responder.publicKey)
        } else {
          #expect(key.error == .handshakeFailed)
        }
        await registry.value
      }
    }

    @Test @LoopActor func `another prologue gets no key`() async throws {
      let (key, _, _) = try await ask(prologue: Keys.prologue)
      #expect(key.error == .handshakeFailed)
    }

    @Test @LoopActor func `no changed byte of the answer gives another key`() async throws {
      // The ephemeral key, the sealed key with its tag, and the tag of nothing.
      for byte in 0..<2 + 32 + 48 + 16 {
        let (key, _, _) = try await ask(
          Relay.flipping(.responder, 0, byte: byte, mask: 1), time: byte < 2 ? 150 : 20_000)
        #expect(key.error != nil, "byte \(byte)")
      }
    }

    @Test @LoopActor func `no changed byte of the question gets a key`() async throws {
      for byte in 0..<2 + 32 {
        let (key, _, _) = try await ask(
          Relay.flipping(.initiator, 1, byte: byte, mask: 1), time: byte < 2 ? 150 : 20_000)
        #expect(key.error != nil, "byte \(byte)")
      }
    }

    @Test @LoopActor func `a link's opening changed into a question's tells nothing`() async throws {
      let relay = try await Relay.make(Relay.flipping(.initiator, 0, byte: 0, mask: 3))
      let (near, far) = (relay.initiator, relay.responder)
      async let registry = result { () throws(LinkError) in
        try await SealedLink.acceptOrTellKey(far, prologue: Prologue.registry, local: Keys.responder)
      }
      let link = await result { () throws(LinkError) in
        try await SealedLink.connect(
          near, prologue: Prologue.registry, local: Keys.initiator, remote: Keys.responder.publicKey)
      }
      #expect(link.error != nil)
      #expect(await registry.error == .handshakeFailed)
      #expect(relay.sent[.responder] == nil)
    }
  }
}
