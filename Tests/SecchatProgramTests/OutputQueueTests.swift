import Dispatch
import Synchronization
import Testing

@testable import secchat

/// A reader that has stopped: nothing waits for it, and memory is bounded.
@Suite struct OutputQueueTests {
  /// A queue whose first line is not taken until `resume`.
  private final class Stalled: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    let queue: OutputQueue

    init() {
      let shown = Shown()
      self.log = shown
      queue = OutputQueue { count in shown.append("\(count) dropped") }
      let gate = gate
      queue.add(cost: 0) { gate.wait() }
    }

    final class Shown: Sendable {
      private let lines = Mutex<[String]>([])
      func append(_ line: String) { lines.withLock { $0.append(line) } }
      var all: [String] { lines.withLock { $0 } }
    }

    let log: Shown

    func add(_ line: String, cost: Int) { queue.add(cost: cost) { [log] in log.append(line) } }

    func resume() async {
      gate.signal()
      await queue.drain()
    }
  }

  @Test(.timeLimit(.minutes(1))) func whatIsTooMuchIsCounted() async {
    let stalled = Stalled()
    let half = OutputQueue.capacity / 2
    stalled.add("a", cost: half)
    stalled.add("b", cost: half)
    // None of these waits for room.
    for _ in 0..<3 { stalled.add("lost", cost: 1) }
    #expect(stalled.log.all.isEmpty)
    await stalled.resume()
    #expect(stalled.log.all == ["a", "b", "3 dropped"])
    stalled.add("c", cost: half)
    await stalled.queue.drain()
    #expect(stalled.log.all.last == "c")
  }

  @Test func whatIsLostIsToldInItsPlace() async {
    let stalled = Stalled()
    stalled.add("a", cost: OutputQueue.capacity - 1)
    stalled.add("lost", cost: 2)
    stalled.add("b", cost: 1)
    await stalled.resume()
    #expect(stalled.log.all == ["a", "1 dropped", "b"])
  }

  /// A message that is taken while the queue is ready is never dropped.
  @Test func readinessLeavesRoom() async {
    let stalled = Stalled()
    #expect(stalled.queue.isReady)
    stalled.add("a", cost: OutputQueue.capacity / 2 - 1)
    #expect(stalled.queue.isReady)
    stalled.add("b", cost: 512 + Chat.maximumText)
    #expect(!stalled.queue.isReady)
    await stalled.resume()
    #expect(stalled.queue.isReady)
    #expect(stalled.log.all == ["a", "b"])
  }

  @Test func endingDoesNotWaitForever() async {
    let stalled = Stalled()
    stalled.add("a", cost: 1)
    #expect(!stalled.queue.drain(forAtMost: 20))
    await stalled.resume()
    #expect(stalled.queue.drain(forAtMost: 10_000))
    #expect(stalled.log.all == ["a"])
  }
}
