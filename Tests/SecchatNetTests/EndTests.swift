import SecchatNet
import TestSupport
import Testing

/// How connections end, at every stage of their lives.
@Suite struct EndTests {
  @Test @LoopActor func endIsNotABreak() async throws {
    let ended = try await Pair.over()
    ended.near.write([1, 2])
    ended.near.close()
    #expect(await failure { () throws(NetError) in try await ended.far.fill(atLeast: 3) } == .closed)
    #expect(ended.far.buffered == 2)
    try await ended.far.fill(atLeast: 2)

    let broken = try await Pair.over()
    broken.near.abort()
    #expect(await failure { () throws(NetError) in try await broken.far.fill(atLeast: 1) } == .reset)
    broken.far.write([1])
    #expect(await failure { () throws(NetError) in try await broken.far.drain() } == .reset)
  }

  @Test @LoopActor func closeSendsWhatWasWritten() async throws {
    let pair = try await Pair.over()
    let size = 3 << 20
    pair.near.write([UInt8](repeating: 5, count: size))
    pair.near.close()
    var read = 0
    while read < size {
      try await pair.far.fill(atLeast: 1)
      read += pair.far.buffered
      pair.far.consume(pair.far.buffered)
    }
    #expect(await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1) } == .closed)
  }

  /// Unread input at close makes a careless system reset the connection and lose the last words.
  @Test @LoopActor func closeWithUnreadInputStillSends() async throws {
    let pair = try await Pair.over()
    pair.far.write([UInt8](repeating: 1, count: 100_000))
    pair.near.write([4, 2])
    pair.far.flush()
    pair.near.close()
    #expect(try await pair.far.read(2) == [4, 2])
    #expect(await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1) } == .closed)
  }

  /// Two readers are woken in one turn, and the first of them closes the other's stream: its bytes are gone when its
  /// turn comes.
  @Test @LoopActor func closeBetweenArrivalAndTheReadersTurn() async throws {
    let pairs = [try await Pair.over(), try await Pair.over()]
    let outcomes = [OneShot<NetError?>(), OneShot<NetError?>()]
    for i in 0...1 {
      _ = Loop.spawn {
        let error = await failure { () throws(NetError) in try await pairs[i].far.fill(atLeast: 1) }
        pairs[1 - i].far.close()
        outcomes[i].fulfil(error)
      }
    }
    for pair in pairs { pair.near.write([1]) }
    let first = try await outcomes[0].wait(deadline: .now + 60_000)
    let second = try await outcomes[1].wait(deadline: .now + 60_000)
    #expect([first, second].filter { $0 == .closed }.count == 1)
  }

  @Test @LoopActor func lettingGoCloses() async throws {
    let pair = try await Pair.over()
    let far = pair.far
    func leave() async throws {
      let other = try await Pair.over()
      other.near.write([3])
      let reader = other.far
      _ = consume other
      #expect(try await reader.read(1) == [3])
      #expect(await failure { () throws(NetError) in try await reader.fill(atLeast: 1) } == .closed)
    }
    try await leave()
    far.close()
  }

  @Test @LoopActor func closeWhileConnecting() async throws {
    let full = try FullBacklog()
    let nowhere = full.address
    let error = await failure { () throws(NetError) in
      _ = try await ByteStream.connect(to: nowhere, timeout: 50)
    }
    #expect(error == .timedOut)

    var outcome: NetError?
    let task = Loop.spawn {
      outcome = await failure { () throws(NetError) in
        _ = try await ByteStream.connect(to: nowhere, timeout: 60_000)
      }
    }
    task.cancel()
    await task.value
    #expect(outcome == .cancelled)
  }

  @Test @LoopActor func closeWhileReading() async throws {
    let pair = try await Pair.over()
    var error: NetError?
    let reader = Loop.spawn {
      error = await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1) }
    }
    await Task.yield()
    pair.far.close()
    pair.far.close()
    await reader.value
    #expect(error == .closed)
    #expect(await failure { () throws(NetError) in try await pair.far.drain() } == .closed)
    pair.far.write([1])
    pair.far.flush()
    pair.far.consume(0)
    pair.far.abort()
    #expect(await failure { () throws(NetError) in try await pair.near.fill(atLeast: 1) } == .closed)
  }

  @Test(arguments: [true, false]) @LoopActor func closeWhileWriting(orderly: Bool) async throws {
    let pair = try await Pair.over()
    var error: NetError?
    let writer = Loop.spawn {
      let piece = [UInt8](repeating: 1, count: 64 << 10)
      error = await failure { () throws(NetError) in
        while true {
          pair.near.write(piece)
          try await pair.near.drain()
        }
      }
    }
    #expect(await eventually { pair.near.backlog > Limits.lowWater })
    if orderly { pair.near.close() } else { pair.near.abort() }
    await writer.value
    #expect(error == .closed)
    pair.far.close()
  }

  @Test @LoopActor func closeInsideBodies() async throws {
    let pair = try await Pair.over()
    pair.near.write([1, 2, 3])
    try await pair.far.fill(atLeast: 3)
    let sum = pair.far.withBuffered { span in
      pair.far.close()
      span.storeBytes(of: 9, toByteOffset: 2, as: UInt8.self)
      return unsafe span.unsafeLoad(fromByteOffset: 2, as: UInt8.self)
    }
    #expect(sum == 9)
    #expect(pair.far.buffered == 0)
    pair.near.write(reserving: 10) { span in
      pair.near.abort()
      span.storeBytes(of: 9, toByteOffset: 9, as: UInt8.self)
      return 10
    }
    #expect(pair.near.backlog == 0)
  }

  @Test @LoopActor func closeBeforeAccept() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let target = try #require(listener.address)
    let early = try await ByteStream.connect(to: target, timeout: 60_000)
    early.close()
    let stream = try await listener.accept()
    #expect(await failure { () throws(NetError) in try await stream.fill(atLeast: 1) } == .closed)
    let waiting = try await ByteStream.connect(to: target, timeout: 60_000)
    listener.close()
    listener.close()
    let end = await failure { () throws(NetError) in try await waiting.fill(atLeast: 1) }
    #expect(end == .reset || end == .closed)
    #expect(await failure { () throws(NetError) in _ = try await listener.accept() } == .closed)
  }

  @Test @LoopActor func closingTheListenerWakesAccept() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    var error: NetError?
    let task = Loop.spawn { error = await failure { () throws(NetError) in _ = try await listener.accept() } }
    await Task.yield()
    listener.close()
    await task.value
    #expect(error == .closed)
  }

  @Test @LoopActor func refusedWhereNobodyListens() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let target = try #require(listener.address)
    listener.close()
    #expect(
      await failure { () throws(NetError) in _ = try await ByteStream.connect(to: target, timeout: 60_000) }
        == .refused)
  }

  @Test @LoopActor func deadlineEndsWaitsAndNothingElse() async throws {
    let pair = try await Pair.over()
    let started = Loop.now
    let due = started + 30
    #expect(
      await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1, deadline: due) } == .timedOut
    )
    #expect(Loop.now - started >= 30)
    #expect(
      await failure { () throws(NetError) in try await pair.far.fill(atLeast: 1, deadline: due) } == .timedOut
    )
    pair.near.write([1])
    #expect(try await pair.far.read(1) == [1])
  }

  /// A deadline left over from an operation that has ended must not end the next one.
  @Test @LoopActor func deadlineEndsOnlyItsOwnWait() async throws {
    let pair = try await Pair.over()
    pair.near.write([1])
    try await pair.far.fill(atLeast: 1, deadline: Loop.now + 500)
    pair.far.consume(1)
    var ended: NetError?
    var isOver = false
    let reader = Loop.spawn {
      ended = await failure { () throws(NetError) in
        try await pair.far.fill(atLeast: 1, deadline: Loop.now + 60_000)
      }
      isOver = true
    }
    try await Loop.sleep(for: 600)
    #expect(!isOver)
    pair.near.write([2])
    await reader.value
    #expect(ended == nil)
    #expect(isOver)
  }

  @Test @LoopActor func readerAndWritersHaveDeadlinesOfTheirOwn() async throws {
    let pair = try await Pair.over()
    pair.near.write([UInt8](repeating: 1, count: 2 << 20))
    while await failure({ () throws(NetError) in try await pair.near.drain(deadline: Loop.now + 20) })
      == nil
    {
      pair.near.write([UInt8](repeating: 1, count: 1 << 20))
    }
    let started = Loop.now
    var kept = 0
    let waits = [60, 20, 40].map { patience in
      Loop.spawn {
        let due = started + patience
        let error = await failure { () throws(NetError) in try await pair.near.drain(deadline: due) }
        if error == .timedOut, Loop.now >= due { kept += 1 }
      }
    }
    let due = started + 50
    let error = await failure { () throws(NetError) in try await pair.near.fill(atLeast: 1, deadline: due) }
    #expect(error == .timedOut)
    #expect(Loop.now >= due)
    for wait in waits { await wait.value }
    #expect(kept == 3)
    pair.near.abort()
  }
}
