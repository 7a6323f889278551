import Glibc
import SecchatNode
import SecchatTerminal

/// The progress bar of the item that is being sent, one at a time.
final class TransferDisplay: Sendable {
  private struct Current {
    var id: String
    var name: String
    var line: ProgressLine

    /// All items of one offer have its id.
    func shows(_ transfer: Event.Transfer) -> Bool { id == transfer.id && name == transfer.name }
  }

  private let terminal: Terminal
  private let isShown: Bool
  private let current = Locked<Current?>(nil)

  init(_ terminal: Terminal, isShown: Bool) {
    self.terminal = terminal
    self.isShown = isShown && terminal.errorIsTerminal && !terminal.isDumb
  }

  /// Draws what belongs to a bar.
  ///
  /// - Returns: whether there is nothing left to say of the event.
  func take(_ event: Event) -> Bool {
    switch event {
    case .progress(let transfer):
      if isShown { advance(transfer) }
      return true
    case .done(let transfer):
      guard isShown, current.withLock({ $0?.shows(transfer) ?? false }) else { return false }
      advance(transfer)
      makeRoom()
      // The bar says it all, but for the checksum and what was left out.
      return transfer.checksum == nil && transfer.skipped == nil
    default: return false
    }
  }

  /// Leaves the bar standing, so that a line can follow.
  func makeRoom() {
    let line = current.withLock { current in
      defer { current = nil }
      return current?.line
    }
    line?.finish(now: steadyTime())
  }

  private func advance(_ transfer: Event.Transfer) {
    let now = steadyTime()
    if !current.withLock({ $0?.shows(transfer) ?? false }) {
      makeRoom()
      let bar = ProgressBar(name: transfer.name, total: transfer.total, now: now - transfer.seconds)
      let line = ProgressLine(bar, on: terminal)
      current.withLock { $0 = Current(id: transfer.id, name: transfer.name, line: line) }
    }
    current.withLock { $0?.line }?.advance(to: transfer.bytes, now: now)
  }
}

/// Seconds of a clock that nobody sets.
func steadyTime() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Unix seconds.
@Sendable func wallTime() -> Int64 { Int64(time(nil)) }
