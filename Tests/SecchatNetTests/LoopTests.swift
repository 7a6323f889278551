import Foundation
import SecchatNet
import TestSupport
import Testing

@Suite struct LoopTests {
  @Test @LoopActor func staysOnTheLoop() async throws {
    #expect(Loop.shared.isCurrent)
    await Loop.spawn {
      LoopActor.shared.assertIsolated()
      #expect(Loop.shared.isCurrent)
    }.value
  }

  @Test @LoopActor func offloadLeavesTheLoop() async throws {
    let elsewhere = await Loop.offload { !Loop.shared.isCurrent }
    #expect(elsewhere)
    #expect(Loop.shared.isCurrent)
    let error = await failure { () throws(NetError) in
      try await Loop.offload { () throws(NetError) in throw NetError.unresolvable }
    }
    #expect(error == .unresolvable)
  }

  @Test @LoopActor func theLoopTurnsWhileWorkIsElsewhere() async throws {
    let turned = DispatchSemaphore(value: 0)
    Loop.spawn {
      for _ in 0..<10 { await Task.yield() }
      turned.signal()
    }
    #expect(await Loop.offload { turned.wait(timeout: .now() + 10) } == .success)
  }

  @Test @LoopActor func sleepLastsAndCanBeCancelled() async throws {
    let started = Loop.now
    try await Loop.sleep(for: 20)
    #expect(Loop.now - started >= 20)
    var cancelled = false
    let task = Loop.spawn {
      do { try await Loop.sleep(for: 60_000) } catch { cancelled = true }
    }
    await Task.yield()
    task.cancel()
    await task.value
    #expect(cancelled)
    #expect(Loop.now - started < 30_000)
  }

  @Test @LoopActor func sleepersWakeInOrder() async throws {
    var order: [Int] = []
    let sleepers = [40, 10, 30, 20, 25, 5, 35].map { length in
      Loop.spawn {
        do { try await Loop.sleep(for: length) } catch { return }
        order.append(length)
      }
    }
    for sleeper in sleepers { await sleeper.value }
    #expect(order == order.sorted())
    #expect(order.count == 7)
  }

  @Test @LoopActor func oneShot() async throws {
    let early = OneShot<Int>()
    early.fulfil(3)
    early.fulfil(4)
    early.fail(.reset)
    #expect(try await early.wait() == 3)

    let late = OneShot<Int>()
    let started = Loop.now
    #expect(
      await failure { () throws(NetError) in _ = try await late.wait(deadline: Loop.now + 20) } == .timedOut)
    #expect(Loop.now - started >= 20)
    Loop.spawn { late.fulfil(7) }
    #expect(try await late.wait(deadline: Loop.now + 60_000) == 7)

    let failed = OneShot<Int>()
    Loop.spawn { failed.fail(.refused) }
    #expect(await failure { () throws(NetError) in _ = try await failed.wait() } == .refused)
  }

  /// The queue of deadlines keeps its order through thousands of arrivals and departures.
  @Test @LoopActor func manyOneShots() async throws {
    var timedOut = 0
    var answered = 0
    let base = Loop.now
    let shots = (0..<2_000).map { _ in OneShot<Int>() }
    let tasks = shots.enumerated().map { index, shot in
      Loop.spawn {
        let due = index % 2 == 0 ? base + 50 + (index * 7919) % 100 : base + 60_000
        let error = await failure { () throws(NetError) in _ = try await shot.wait(deadline: due) }
        if error == .timedOut, Loop.now >= due { timedOut += 1 }
        if error == nil { answered += 1 }
      }
    }
    try await Loop.sleep(for: 20)
    for (index, shot) in shots.enumerated() where index % 2 == 1 { shot.fulfil(index) }
    for task in tasks { await task.value }
    #expect(timedOut == 1_000)
    #expect(answered == 1_000)
  }

  @Test @LoopActor func signals() async throws {
    let stream = Loop.signals(SIGUSR1, SIGUSR2)
    kill(getpid(), SIGUSR2)
    var iterator = stream.makeAsyncIterator()
    #expect(await iterator.next(isolation: LoopActor.shared) == SIGUSR2)
    kill(getpid(), SIGUSR1)
    #expect(await iterator.next(isolation: LoopActor.shared) == SIGUSR1)
  }

  @Test @LoopActor func resolver() async throws {
    let found = try await Resolver.resolve(host: "localhost", port: 80, deadline: Loop.now + 60_000)
    #expect(found.allSatisfy { $0.isLoopback && $0.port == 80 })
    #expect(!found.isEmpty)
    let numeric = try await Resolver.resolve(host: "::ffff:192.0.2.7", port: 1, deadline: Loop.now)
    #expect(numeric.map(\.description) == ["192.0.2.7:1"])
    // With a label too long for any question, so that nobody is asked.
    let overlong = String(repeating: "x", count: 64) + ".invalid"
    for wrong in ["", String(repeating: "a", count: 300), "no\0name", overlong] {
      let error = await failure { () throws(NetError) in
        _ = try await Resolver.resolve(host: wrong, port: 1, deadline: Loop.now + 60_000)
      }
      #expect(error == .unresolvable)
    }
  }

  @Test @LoopActor func connectsByName() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let port = try #require(listener.address?.port)
    // localhost is often ::1 first, where nobody listens: the second address must be tried.
    let near = try await ByteStream.connect(host: "localhost", port: port, timeout: 60_000)
    let far = try await listener.accept()
    near.write([1])
    #expect(try await far.read(1) == [1])
  }
}
