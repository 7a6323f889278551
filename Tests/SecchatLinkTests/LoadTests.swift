import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  @Suite struct LoadTests {
    /// Bytes that differ from place to place: the one at `offset`.
    private static let period = 65_521
    private static let pattern = (0..<period + Limits.chunkData).map {
      UInt8(truncatingIfNeeded: $0 % period &* 131)
    }

    @Test(arguments: [1, 2, 100, Limits.chunkData - 1, Limits.chunkData]) @LoopActor
    func `a chunk is what was put into it`(_ count: Int) async throws {
      let (near, far) = try await Shake.link()
      near.sendChunk(0x0102_0304, Self.pattern[0..<count])
      near.flush()
      let received = try await far.next()
      #expect(received.type == .chunk)
      var reader = WireReader(received.body.raw)
      #expect(try ChunkHeader(body: &reader) == ChunkHeader(stream: 0x0102_0304))
      #expect(reader.takeRest().array == Array(Self.pattern[..<count]))
    }

    @Test @LoopActor func `100 MiB arrive intact`() async throws {
      let total = 100 << 20
      let (near, far) = try await Shake.link()
      let sender = Loop.spawn {
        var offset = 0
        do throws(LinkError) {
          while offset < total {
            let count = min(Limits.chunkData, total - offset)
            let start = offset % Self.period
            near.sendChunk(1, Self.pattern[start..<start + count])
            offset += count
            try await near.drain()
          }
          near.close()
        } catch { Issue.record(error) }
      }
      var (offset, differ) = (0, 0)
      let end = await result { () throws(LinkError) in
        while true {
          try await far.receive { (type, body) throws(WireError) in
            guard type == .chunk else { throw .malformed }
            var reader = WireReader(body)
            _ = try ChunkHeader(body: &reader)
            let data = reader.takeRest()
            let start = offset % Self.period
            if data.array != Array(Self.pattern[start..<start + data.byteCount]) { differ += 1 }
            offset += data.byteCount
          }
        }
      }
      #expect(end.error == .closed(.done))
      #expect(offset == total)
      #expect(differ == 0)
      await sender.value
    }

    @Test @LoopActor func `a flood on one link leaves others their turn`() async throws {
      let (flooder, flooded) = try await Shake.link()
      let flood = Loop.spawn {
        do throws(LinkError) {
          while true {
            for _ in 0..<64 { flooder.send(Heartbeat(request: 1)) }
            try await flooder.drain()
          }
        } catch {}
      }
      var count = 0
      let sink = Loop.spawn {
        do throws(LinkError) {
          while true {
            _ = try await flooded.next()
            count += 1
          }
        } catch {}
      }
      let (near, far) = try await Shake.link()
      for request: UInt32 in 0..<100 {
        near.send(Heartbeat(request: request))
        near.flush()
        #expect(try await far.next() == Received(Heartbeat(request: request)))
        far.send(Alive(request: request, life: 1))
        far.flush()
        #expect(try await near.next() == Received(Alive(request: request, life: 1)))
      }
      #expect(count > 100, "the flood went on")
      flooder.abort()
      flooded.abort()
      await flood.value
      await sink.value
    }
  }
}
