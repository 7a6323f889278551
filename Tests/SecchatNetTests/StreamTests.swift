import SecchatNet
import TestSupport
import Testing

@Suite struct StreamTests {
  @Test(arguments: ["127.0.0.1", "::1"]) @LoopActor func echoes(host: String) async throws {
    let pair = try await Pair.over(host)
    #expect(pair.far.remoteAddress == pair.near.localAddress)
    #expect(pair.near.remoteAddress?.host == host)
    #expect(pair.near.remoteAddress?.isIPv6 == host.contains(":"))
    let echo = Loop.spawn { await pair.far.echo() }
    for size in [1, 2, 5_000, 100_000, 262_144] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      pair.near.write(bytes)
      pair.near.flush()
      #expect(try await pair.near.read(size) == bytes)
    }
    pair.near.close()
    await echo.value
  }

  @Test @LoopActor func sendsWithoutFlushAtEndOfTurn() async throws {
    let pair = try await Pair.over()
    pair.near.write([1, 2, 3])
    #expect(try await pair.far.read(3) == [1, 2, 3])
  }

  @Test @LoopActor func decryptsInPlaceAndKeepsTheRest() async throws {
    let pair = try await Pair.over()
    pair.near.write([9, 8, 7, 6])
    try await pair.far.fill(atLeast: 4)
    pair.far.withBuffered { span in span.storeBytes(of: 42, toByteOffset: 0, as: UInt8.self) }
    #expect(pair.far.peek(4) == [42, 8, 7, 6])
    pair.far.consume(3)
    #expect(pair.far.buffered == 1)
    pair.near.write([5])
    #expect(try await pair.far.read(2) == [6, 5])
  }

  @Test @LoopActor func arrivesByteByByte() async throws {
    let pair = try await Pair.over()
    let frame = (0..<500).map { UInt8(truncatingIfNeeded: $0) }
    let sender = Loop.spawn {
      for byte in frame {
        pair.near.write([byte])
        pair.near.flush()
        await Task.yield()
      }
    }
    for start in stride(from: 0, to: 500, by: 50) {
      #expect(try await pair.far.read(50) == Array(frame[start..<start + 50]))
    }
    await sender.value
  }

  @Test @LoopActor func unusedReservationIsNotSent() async throws {
    let pair = try await Pair.over()
    pair.near.write(reserving: 100) { span in
      span.storeBytes(of: 77, toByteOffset: 0, as: UInt8.self)
      return 1
    }
    pair.near.write([78])
    pair.near.close()
    #expect(try await pair.far.read(2) == [77, 78])
    #expect(await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1) } == .closed)
  }

  @Test @LoopActor func fillBeyondCapacityIsRefused() async throws {
    let pair = try await Pair.over(inputCapacity: 4_096)
    #expect(await failure { () throws(NetError) in try await pair.far.fill(atLeast: 4_097) } == .overflow)
    pair.near.write([UInt8](repeating: 1, count: 10_000))
    try await pair.far.fill(atLeast: 4_096)
    #expect(pair.far.buffered == 4_096)
    pair.far.consume(4_096)
    #expect(try await pair.far.read(4_096).count == 4_096)
    #expect(try await pair.far.read(1_808).count == 1_808)
  }

  @Test @LoopActor func bulkStopsWithItsReader() async throws {
    let pair = try await Pair.over()
    let total = 64 << 20
    let piece = 64 << 10
    var written = 0
    let sender = Loop.spawn {
      do throws(NetError) {
        while written < total {
          let start = written
          pair.near.write(reserving: piece) { span in
            for offset in stride(from: 0, to: piece, by: 8) {
              span.storeBytes(of: UInt64(start + offset), toByteOffset: offset, as: UInt64.self)
            }
            return piece
          }
          written += piece
          try await pair.near.drain()
        }
      } catch {
        Issue.record("\(error)")
      }
    }
    // Nobody reads: the sender has to stop, and what it holds stays small.
    var last = -1
    var quiet = 0
    while quiet < 20 {
      try await Loop.sleep(for: 10)
      quiet = written == last ? quiet + 1 : 0
      last = written
    }
    #expect(written < 32 << 20)
    #expect(pair.near.backlog <= Limits.lowWater + piece)
    #expect(pair.far.buffered <= Limits.inputCapacity)

    var read = 0
    while read < total {
      try await pair.far.fill(atLeast: 8)
      let count = pair.far.buffered & ~7
      let intact = pair.far.withBuffered { span in
        stride(from: 0, to: count, by: 8).allSatisfy {
          unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt64.self) == UInt64(read + $0)
        }
      }
      #expect(intact)
      guard intact else { break }
      pair.far.consume(count)
      read += count
    }
    await sender.value
    #expect(read == total)
  }

  @Test @LoopActor func peerThatNeverReadsIsCutOff() async throws {
    let pair = try await Pair.over()
    let piece = [UInt8](repeating: 1, count: 64 << 10)
    // The system's own buffers take some of it.
    for _ in 0..<1_000 where pair.near.backlog > 0 || pair.near.localAddress != nil { pair.near.write(piece) }
    #expect(await failure { () throws(NetError) in try await pair.near.drain() } == .overflow)
    #expect(await failure { () throws(NetError) in try await pair.near.fill(atLeast: 1) } == .overflow)
    #expect(pair.near.backlog == 0)
  }

  @Test @LoopActor func drainToNothing() async throws {
    let pair = try await Pair.over()
    let size = 3 << 20
    pair.near.write([UInt8](repeating: 7, count: size))
    var read = 0
    let reader = Loop.spawn {
      while read < size {
        guard await failure({ () throws(NetError) in try await pair.far.fill(atLeast: 1) }) == nil else {
          return
        }
        read += pair.far.buffered
        pair.far.consume(pair.far.buffered)
      }
    }
    try await pair.near.drain(below: 0)
    #expect(pair.near.backlog == 0)
    await reader.value
    #expect(read == size)
  }

  @Test @LoopActor func floodingPeerLeavesRoomForAPoliteOne() async throws {
    let flood = try await Pair.over()
    let polite = try await Pair.over()
    let echo = Loop.spawn { await polite.far.echo() }
    var frames = 0
    let sender = Loop.spawn {
      let bytes = [UInt8](repeating: 0, count: 64 << 10)
      while await failure({ () throws(NetError) in try await flood.near.drain() }) == nil {
        flood.near.write(bytes)
      }
    }
    let victim = Loop.spawn {
      while await failure({ () throws(NetError) in try await flood.far.fill(atLeast: 16) }) == nil {
        flood.far.consume(16)
        frames += 1
      }
    }
    for round in 0..<200 {
      polite.near.write([UInt8(round)])
      #expect(try await polite.near.read(1) == [UInt8(round)])
    }
    #expect(frames > 0)
    flood.near.abort()
    flood.far.abort()
    polite.near.close()
    await sender.value
    await victim.value
    await echo.value
  }

  @Test @LoopActor func aThousandConnections() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let target = try #require(listener.address)
    let server = Loop.spawn {
      do throws(NetError) {
        while true {
          let stream = try await listener.accept()
          Loop.spawn { await stream.echo() }
        }
      } catch {
        if error != .closed { Issue.record("\(error)") }
      }
    }
    var streams: [ByteStream] = []
    for _ in 0..<1_000 { streams.append(try await ByteStream.connect(to: target, timeout: 60_000)) }
    for (index, stream) in streams.enumerated() { stream.write([UInt8(index & 255), 1, 2, 3]) }
    for (index, stream) in streams.enumerated() {
      #expect(try await stream.read(4) == [UInt8(index & 255), 1, 2, 3])
    }
    for stream in streams { stream.close() }
    listener.close()
    await server.value
  }
}
