import Dispatch
import SecchatTerminal

/// Writes in order on a thread of its own, so that a terminal that is stopped (Ctrl-S) or a reader that is slow
/// does not stop the node. What waits is bounded; what would go beyond is counted instead of shown.
final class OutputQueue: Sendable {
  /// Bytes that may wait to be written.
  static let capacity = 16 << 20

  private struct State {
    var waiting = 0
    var dropped = 0

    mutating func takeDropped() -> Int {
      defer { dropped = 0 }
      return dropped
    }
  }

  private let queue = DispatchQueue(label: "secchat.output")
  private let state = Locked(State())
  private let tellDropped: @Sendable (Int) -> Void

  /// - Parameter tellDropped: says how many lines were not shown, in their place.
  init(tellDropped: @escaping @Sendable (Int) -> Void) { self.tellDropped = tellDropped }

  /// Whether the reader keeps up. While it is true, a message of any size still has its place.
  var isReady: Bool { state.withLock { $0.waiting < Self.capacity / 2 } }

  /// - Parameter cost: bytes that the work keeps in memory until it is done.
  func add(cost: Int, _ work: @escaping @Sendable () -> Void) {
    let dropped: Int? = state.withLock { state in
      guard state.waiting + cost <= Self.capacity else {
        state.dropped += 1
        return nil
      }
      state.waiting += cost
      return state.takeDropped()
    }
    guard let dropped else { return }
    queue.async {
      self.tell(dropped)
      work()
      self.tell(
        self.state.withLock { state in
          state.waiting -= cost
          return state.waiting == 0 ? state.takeDropped() : 0
        })
    }
  }

  private func tell(_ dropped: Int) { if dropped > 0 { tellDropped(dropped) } }

  /// Waits until everything is written; no thread does.
  func drain() async {
    await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
  }

  /// Waits until everything is written, but not for longer than `milliseconds`.
  ///
  /// - Returns: whether it was.
  func drain(forAtMost milliseconds: Int) -> Bool {
    let done = DispatchSemaphore(value: 0)
    queue.async { done.signal() }
    return done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
  }
}
