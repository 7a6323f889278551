import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  /// A link's life: keep-alive, new keys, the end.
  @Suite struct LifeTests {
    // MARK: Keep-alive

    @Test @LoopActor func `PING is answered by PONG, before what is sent later`() async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send(try raw.seal(Ping().encoded) + raw.seal(Ping().encoded))
      raw.stream.send(try raw.seal(Heartbeat(request: 1).encoded))
      #expect(try await link.next() == Received(Heartbeat(request: 1)))
      link.send(Alive(request: 1, life: 2))
      link.flush()
      #expect(try await raw.read() == Pong().encoded)
      #expect(try await raw.read() == Pong().encoded)
      #expect(try await raw.read() == Alive(request: 1, life: 2).encoded)
    }

    @Test @LoopActor func `a PONG that nobody asked for means nothing`() async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send(try raw.seal(Pong().encoded) + raw.seal(Heartbeat(request: 1).encoded))
      #expect(try await link.next() == Received(Heartbeat(request: 1)))
    }

    @Test @LoopActor func `silence is asked about, and an answer keeps the link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 50
      link.pongPatience = 20_000
      async let waiting = result { () throws(LinkError) in try await link.next() }
      for _ in 0..<3 {
        #expect(try await raw.read() == Ping().encoded)
        raw.stream.send(try raw.seal(Pong().encoded))
      }
      // Asked again, the link stands.
      #expect(try await raw.read() == Ping().encoded)
      raw.stream.send(try raw.seal(Alive(request: 1, life: 1).encoded))
      #expect(try await waiting.get() == Received(Alive(request: 1, life: 1)))
      #expect(!link.isClosed)
    }

    @Test @LoopActor func `the silent are given up`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 100
      link.pongPatience = 150
      let started = Loop.now
      let (messages, error) = await link.rest()
      #expect(messages.isEmpty)
      #expect(error == .network(.timedOut))
      #expect(240...8_000 ~= Loop.now - started)
      // It was asked once.
      #expect(try await raw.read() == Ping().encoded)
      #expect(await raw.stream.readToEnd().0.isEmpty)
    }

    @Test @LoopActor func `bytes that make no frame keep no link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 100
      link.pongPatience = 150
      let drip = Loop.spawn {
        do {
          raw.stream.send([1, 0])
          // A frame of 256 bytes, one by one.
          for _ in 0..<255 {
            raw.stream.send([0])
            try await Loop.sleep(for: 60)
          }
        } catch {}
      }
      let started = Loop.now
      #expect(await link.rest().1 == .network(.timedOut))
      #expect(Loop.now - started < 8_000)
      drip.cancel()
    }

    @Test @LoopActor func `the time that its user takes is not silence`() async throws {
      let (near, far) = try await Shake.link()
      near.patience = 400
      near.pongPatience = 400
      far.send(Alive(request: 1, life: 1))
      far.flush()
      _ = try await near.next()
      try await Loop.sleep(for: 1_200)
      async let answering = far.rest()
      async let waiting = result { () throws(LinkError) in try await near.next() }
      try await Loop.sleep(for: 20)
      far.send(Alive(request: 2, life: 1))
      far.flush()
      #expect(try await waiting.get() == Received(Alive(request: 2, life: 1)))
      near.close()
      _ = await answering
    }

    @Test @LoopActor func `a deadline holds whatever arrives`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.deadline = Loop.now + 200
      let pings = Loop.spawn {
        do {
          while true {
            raw.stream.send(try raw.seal(Ping().encoded))
            try await Loop.sleep(for: 20)
          }
        } catch {}
      }
      let started = Loop.now
      #expect(await link.rest().1 == .network(.timedOut))
      #expect(Loop.now - started < 8_000)
      pings.cancel()
    }

    @Test @LoopActor func `a deadline holds for what is there already`() async throws {
      let (raw, link) = try await RawPeer.linked()
      let frames = try (0..<20).flatMap { try raw.seal(Heartbeat(request: $0).encoded) }
      raw.stream.send(frames)
      #expect(try await link.next() == Received(Heartbeat(request: 0)))
      link.deadline = Loop.now
      let (messages, error) = await link.rest()
      #expect(messages.isEmpty)
      #expect(error == .network(.timedOut))
    }

    // MARK: New keys

    @Test @LoopActor func `a sender changes its key in time, and the receiver follows`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.setRekeyLimitsForTestingOnly(frames: 5, bytes: 1_000_000)
      for request: UInt32 in 0..<20 { link.send(Alive(request: request, life: 0)) }
      link.flush()
      for request: UInt32 in 0..<20 {
        // Four messages, then REKEY as the fifth frame.
        if request > 0, request % 4 == 0 {
          #expect(try await raw.read() == Rekey().encoded)
          raw.rekeyReceiving()
        }
        #expect(try await raw.read() == Alive(request: request, life: 0).encoded)
      }
    }

    @Test @LoopActor func `a sender changes its key before too many bytes`() async throws {
      let (raw, link) = try await RawPeer.linked()
      // Two messages of 9 bytes and a REKEY of 1 are 19.
      link.setRekeyLimitsForTestingOnly(frames: 1_000, bytes: 19)
      for request: UInt32 in 0..<6 { link.send(Alive(request: request, life: 0)) }
      link.flush()
      for request: UInt32 in 0..<6 {
        if request > 0, request % 2 == 0 {
          #expect(try await raw.read() == Rekey().encoded)
          raw.rekeyReceiving()
        }
        #expect(try await raw.read() == Alive(request: request, life: 0).encoded)
      }
    }

    @Test @LoopActor func `links with new keys all the time work both ways`() async throws {
      let (near, far) = try await Shake.link()
      near.setRekeyLimitsForTestingOnly(frames: 3, bytes: 1_000)
      far.setRekeyLimitsForTestingOnly(frames: 3, bytes: 1_000)
      for request: UInt32 in 0..<200 {
        near.send(Heartbeat(request: request))
        far.send(Alive(request: request, life: 1))
        near.flush()
        far.flush()
        #expect(try await far.next() == Received(Heartbeat(request: request)))
        #expect(try await near.next() == Received(Alive(request: request, life: 1)))
      }
    }

    @Test @LoopActor func `the end of a sender that keeps its key`() async throws {
      for (frames, bytes, passing) in [(4, 1_000, 4), (1_000, 20, 4)] as [(UInt64, UInt64, Int)] {
        let (raw, link) = try await RawPeer.linked()
        link.setRekeyLimitsForTestingOnly(frames: frames, bytes: bytes)
        for request: UInt32 in 0..<6 { raw.stream.send(try raw.seal(Heartbeat(request: request).encoded)) }
        let (messages, error) = await link.rest()
        #expect(messages.count == passing)
        #expect(error == .protocolError)
      }
    }

    @Test @LoopActor func `a key changed in secret opens nothing`() async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.rekeySending()
      raw.stream.send(try raw.seal(Heartbeat(request: 1).encoded))
      #expect(await link.rest().1 == .integrity)
      let (other, second) = try await RawPeer.linked()
      other.stream.send(try other.seal(Rekey().encoded))
      // Still the old key.
      other.stream.send(try other.seal(Heartbeat(request: 1).encoded))
      #expect(await second.rest().1 == .integrity)
    }

    @Test @LoopActor func `the limits are those of the protocol`() async throws {
      let (raw, link) = try await RawPeer.linked()
      let sender = Loop.spawn {
        do {
          let ping = Pong().encoded
          var batch: [UInt8] = []
          for _ in 0...SecchatCore.Limits.rekeyFrames {
            batch += try raw.seal(ping)
            guard batch.count > 32_768 else { continue }
            raw.stream.send(batch)
            batch = []
            try await raw.stream.drain()
          }
          raw.stream.send(batch)
        } catch {}
      }
      #expect(await link.rest().1 == .protocolError)
      await sender.value
      let (other, second) = try await RawPeer.linked()
      let reader = Loop.spawn { () -> Void in
        do {
          for _ in 0..<SecchatCore.Limits.rekeyFrames - 1 { #expect(try await other.read().count == 9) }
          #expect(try await other.read() == Rekey().encoded)
          other.rekeyReceiving()
          #expect(try await other.read().count == 9)
        } catch { Issue.record(error) }
      }
      for request in 0..<UInt32(SecchatCore.Limits.rekeyFrames) {
        second.send(Alive(request: request, life: 0))
        if request % 1_000 == 0 { try await second.drain() }
      }
      second.flush()
      await reader.value
    }

    // MARK: The end

    @Test(arguments: Close.Reason.allCases) @LoopActor
    func `CLOSE tells the reason, either way`(_ reason: Close.Reason) async throws {
      for isInitiator in [true, false] {
        let (near, far) = try await Shake.link()
        let (closer, other) = isInitiator ? (near, far) : (far, near)
        closer.send(Heartbeat(request: 1))
        closer.close(reason)
        #expect(closer.isClosed)
        let (messages, error) = await other.rest()
        #expect(messages == [Received(Heartbeat(request: 1))], "what was sent before arrives")
        #expect(error == .closed(reason))
        #expect(other.isClosed)
        #expect(await closer.rest().1 == .closed(reason))
      }
    }

    @Test @LoopActor func `CLOSE wakes the reader of its own side`() async throws {
      let (near, far) = try await Shake.link()
      async let waiting = near.rest()
      try await Loop.sleep(for: 20)
      near.close(.goingAway)
      #expect(await waiting.1 == .closed(.goingAway))
      #expect(await far.rest().1 == .closed(.goingAway))
    }

    /// Data for two readers comes in one turn of the loop, and the one that runs first ends the other's link.
    @Test @LoopActor func `a link may be ended while its frame waits to be read`() async throws {
      for _ in 0..<50 {
        let (first, second) = (try await Shake.link(), try await Shake.link())
        async let one: Void = close(second.1, after: first.1)
        async let other: Void = close(first.1, after: second.1)
        await Task.yield()
        for link in [first.0, second.0] {
          link.send(Heartbeat(request: 1))
          link.flush()
        }
        _ = await (one, other)
      }
    }

    @LoopActor private func close(_ link: SealedLink, after other: SealedLink) async {
      _ = await result { () throws(LinkError) in try await other.next() }
      link.close(.replaced)
    }

    @Test @LoopActor func `after the end nothing is sent`() async throws {
      let (near, far) = try await Shake.link()
      near.close()
      near.send(Heartbeat(request: 1))
      near.close(.idle)
      let (messages, error) = await far.rest()
      #expect(messages.isEmpty && error == .closed(.done))
      far.send(Heartbeat(request: 1))
      #expect(await result { () throws(LinkError) in try await far.drain() }.error == .closed(.done))
      #expect(await far.rest().1 == .closed(.done), "the same answer again")
    }

    @Test @LoopActor func `what comes after CLOSE is not read`() async throws {
      let (raw, link) = try await RawPeer.linked()
      raw.stream.send(
        try raw.seal(Close(reason: .done).encoded) + raw.seal(Heartbeat(request: 1).encoded))
      let (messages, error) = await link.rest()
      #expect(messages.isEmpty && error == .closed(.done))
    }

    @Test @LoopActor func `aborting tells nothing`() async throws {
      let (near, far) = try await Shake.link()
      near.abort()
      let (messages, error) = await far.rest()
      #expect(messages.isEmpty)
      #expect(error == .network(.reset) || error == .network(.closed))
    }

    @Test @LoopActor func `a link that is let go ends`() async throws {
      var near: SealedLink?
      let far: SealedLink
      (near, far) = try await Shake.link()
      #expect(near != nil)
      near = nil
      #expect(await far.rest().1 == .network(.closed))
    }

    @Test @LoopActor func `who reads nothing is cut off`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.writePatience = 200
      let outcome = await result { () throws(LinkError) in
        while true {
          link.sendChunk(1, fullChunk)
          try await link.drain()
        }
      }
      #expect(outcome.error == .network(.timedOut))
      #expect(link.isClosed)
      _ = raw
    }

    @Test @LoopActor func `who pings and does not read gets one answer's memory, and is cut off`()
      async throws
    {
      let (raw, link) = try await RawPeer.linked()
      link.writePatience = 500
      // More than the system takes; what is not read stays here.
      while link.backlog < 1 << 20 {
        link.sendChunk(1, fullChunk)
        link.flush()
      }
      let before = link.backlog
      async let reading = link.rest()
      var most = 0
      let started = Loop.now
      while !link.isClosed, Loop.now - started < 10_000 {
        var batch: [UInt8] = []
        for _ in 0..<200 { batch += try raw.seal(Ping().encoded) }
        raw.stream.send(batch)
        try await Loop.sleep(for: 2)
        most = max(most, link.backlog)
      }
      // A PONG is a frame of 19 bytes.
      #expect(most <= before + 19)
      let (messages, error) = await reading
      #expect(messages.isEmpty)
      #expect(error == .network(.timedOut))
      #expect(Loop.now - started >= 500)
    }

    @Test @LoopActor func `a PING is answered again once the answer before has gone`() async throws {
      let (raw, link) = try await RawPeer.linked()
      var chunks = 0
      while link.backlog < 1 << 20 {
        link.sendChunk(1, fullChunk)
        link.flush()
        chunks += 1
      }
      for _ in 0..<3 { raw.stream.send(try raw.seal(Ping().encoded)) }
      raw.stream.send(try raw.seal(Heartbeat(request: 1).encoded))
      #expect(try await link.next() == Received(Heartbeat(request: 1)))
      async let reading = link.rest()
      for _ in 0..<chunks {
        #expect(try await raw.read().count == ChunkHeader.frameOverhead + SecchatCore.Limits.chunkData)
      }
      #expect(try await raw.read() == Pong().encoded)
      // The other two had the same answer.
      raw.stream.send(try raw.seal(Ping().encoded))
      #expect(try await raw.read() == Pong().encoded)
      link.close()
      #expect(try await raw.read() == Close(reason: .done).encoded)
      #expect(await reading.0.isEmpty)
    }
  }
}
