import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  /// Waiting for frames without a task: the same rules as with one.
  @Suite struct ParkingTests {
    /// Takes frames as they come until the link ends, as a registry's session does.
    @LoopActor private final class Parked {
      let link: SealedLink
      private(set) var frames: [Received] = []
      private(set) var calls = 0
      let ending = OneShot<LinkError>()

      init(_ link: SealedLink) {
        self.link = link
        proceed()
      }

      private func proceed() {
        calls += 1
        do throws(LinkError) {
          while let frame = try link.next({ (type, body) throws(WireError) in Received(type, body.array) }) {
            frames.append(frame)
          }
          link.whenReady { self.proceed() }
        } catch { ending.fulfil(error) }
      }
    }

    @Test @LoopActor func `frames come whole, however they arrive`() async throws {
      let (raw, link) = try await RawPeer.linked()
      let parked = Parked(link)
      let bytes = try (1...3).flatMap { try raw.seal(Heartbeat(request: $0).encoded) }
      for byte in bytes {
        raw.stream.send([byte])
        await Task.yield()
      }
      raw.stream.send(try (4...100).flatMap { try raw.seal(Heartbeat(request: $0).encoded) })
      #expect(await eventually { parked.frames.count == 100 })
      #expect(parked.frames == (1...100).map { Received(Heartbeat(request: $0)) })
      link.close()
      #expect(try await parked.ending.wait() == .closed(.done))
    }

    @Test @LoopActor func `silence is asked about, and an answer keeps the link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 50
      link.pongPatience = 20_000
      let parked = Parked(link)
      for _ in 0..<3 {
        #expect(try await raw.read() == Ping().encoded)
        raw.stream.send(try raw.seal(Pong().encoded))
      }
      #expect(try await raw.read() == Ping().encoded)
      raw.stream.send(try raw.seal(Alive(request: 1, life: 1).encoded))
      #expect(await eventually { parked.frames == [Received(Alive(request: 1, life: 1))] })
      link.close()
    }

    @Test @LoopActor func `the silent are given up`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 100
      link.pongPatience = 150
      let started = Loop.now
      let parked = Parked(link)
      #expect(try await parked.ending.wait(deadline: Loop.now + 60_000) == .network(.timedOut))
      #expect(Loop.now - started >= 240)
      // It was asked once.
      #expect(try await raw.read() == Ping().encoded)
      #expect(await raw.stream.readToEnd().0.isEmpty)
    }

    @Test @LoopActor func `bytes that make no frame keep no link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      link.patience = 100
      link.pongPatience = 150
      let parked = Parked(link)
      let drip = Loop.spawn {
        raw.stream.send([1, 0])
        for _ in 0..<255 where (try? await Loop.sleep(for: 60)) != nil { raw.stream.send([0]) }
      }
      #expect(try await parked.ending.wait(deadline: Loop.now + 60_000) == .network(.timedOut))
      #expect(parked.frames.isEmpty)
      drip.cancel()
    }

    @Test(arguments: [[0, 16], [255, 255]] as [[UInt8]])
    @LoopActor func `a length that no frame has ends the link at once`(length: [UInt8]) async throws {
      let (raw, link) = try await RawPeer.linked()
      link.frameLimit = 4_096
      let parked = Parked(link)
      raw.stream.send(length)
      #expect(try await parked.ending.wait(deadline: Loop.now + 60_000) == .protocolError)
    }

    @Test @LoopActor func `a forged frame ends the link`() async throws {
      let (raw, link) = try await RawPeer.linked()
      let parked = Parked(link)
      var frame = try raw.seal(Heartbeat(request: 1).encoded)
      frame[4] ^= 1
      raw.stream.send(frame)
      #expect(try await parked.ending.wait(deadline: Loop.now + 60_000) == .integrity)
      #expect(parked.frames.isEmpty)
    }

    @Test @LoopActor func `the end is told once, whoever brings it about`() async throws {
      for end in 0..<3 {
        let (near, far) = try await Shake.link()
        let parked = Parked(near)
        let calls = parked.calls
        switch end {
        case 0: near.close(.idle)
        case 1: near.abort()
        default: far.close(.idle)
        }
        let expected: LinkError = end == 1 ? .network(.closed) : .closed(.idle)
        #expect(try await parked.ending.wait(deadline: Loop.now + 60_000) == expected)
        #expect(parked.calls == calls + 1)
        // What is parked on a link that has ended hears so at once.
        let late = Parked(near)
        #expect(try await late.ending.wait(deadline: Loop.now + 60_000) == expected)
      }
    }
  }
}
