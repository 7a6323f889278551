/// The state of one transfer, drawn as one line. The clock is the caller's.
package struct ProgressBar: Sendable {
  /// Redraws at most this often, in seconds.
  static let interval = 0.1
  /// The rate is averaged over about this long, so that the time left does not jump.
  static let window = 3.0

  private let name: String
  private let total: UInt64
  private let resumedFrom: UInt64
  private let start: Double
  private var done: UInt64
  private var rate: Double?
  private var sampled: (time: Double, done: UInt64)
  private var drawn: Double?

  /// - Parameters:
  ///   - name: what is transferred, as it came: it is made harmless here.
  ///   - total: bytes in all.
  ///   - resumedFrom: bytes that were there already.
  ///   - now: seconds of any steady clock.
  package init(name: String, total: UInt64, resumedFrom: UInt64 = 0, now: Double) {
    self.name = SafeText(name: name).plain
    self.total = total
    self.resumedFrom = resumedFrom
    start = now
    done = resumedFrom
    sampled = (now, resumedFrom)
  }

  /// Notes how far the transfer is.
  ///
  /// - Returns: the line to draw, or nil when the last one is recent enough.
  package mutating func advance(to done: UInt64, now: Double, columns: Int) -> String? {
    self.done = min(done, total)
    let elapsed = now - sampled.time
    if elapsed >= Self.interval {
      let moved = self.done >= sampled.done ? Double(self.done - sampled.done) : 0
      let latest = moved / elapsed
      let weight = min(1, elapsed / Self.window)
      rate = rate.map { $0 + (latest - $0) * weight } ?? latest
      sampled = (now, self.done)
    }
    if let drawn, now - drawn < Self.interval { return nil }
    drawn = now
    let left = rate.flatMap { $0 >= 1 ? Double(total - self.done) / $0 : nil }
    return line(
      columns: columns, rate: rate ?? 0, time: left.map { "\(timeSpan(seconds: Int64(min($0, 9e9)))) left" })
  }

  /// The line that stays: how much, at which average rate, in what time.
  package mutating func finish(now: Double, columns: Int) -> String {
    let elapsed = max(now - start, 0.001)
    return line(
      columns: columns, rate: Double(done - min(done, resumedFrom)) / elapsed,
      time: timeSpan(seconds: Int64(elapsed.rounded(.up))))
  }

  private func line(columns: Int, rate: Double, time: String?) -> String {
    // The last column stays free: some terminals wrap as soon as it is filled.
    let width = max(20, columns - 1)
    let percent = total == 0 ? 100 : Int(Double(done) / Double(total) * 100)
    let figures = "\(percent)%".leftPadded(4) + "  " + byteSize(done).leftPadded(8)
    var tail = figures + "  " + byteRate(UInt64(max(0, min(rate, 1e18)))).leftPadded(10)
    if let time { tail += "  " + time }
    if tail.count + 12 > width { tail = figures }
    let label = shorten(name, toColumns: max(4, min(28, width - tail.count - 2)))
    let barWidth = width - displayWidth(label) - tail.count - 5
    guard barWidth >= 8 else { return truncate(label + "  " + tail, toColumns: width) }
    let filled = total == 0 ? barWidth : Int(Double(done) / Double(total) * Double(barWidth))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: barWidth - filled)
    return "\(label) [\(bar)] \(tail)"
  }
}

extension String {
  fileprivate func leftPadded(_ columns: Int) -> String {
    String(repeating: " ", count: max(0, columns - count)) + self
  }
}

/// Draws a progress bar on standard error, if that is a terminal; otherwise it stays silent. While a line is
/// being typed there is no room for it: then only its last state appears, above that line.
package final class ProgressLine: Sendable {
  private let terminal: Terminal
  private let bar: Locked<ProgressBar>
  private let isShown: Bool

  package init(_ bar: ProgressBar, on terminal: Terminal = .standard) {
    self.terminal = terminal
    self.bar = Locked(bar)
    isShown = terminal.errorIsTerminal && !terminal.isDumb
  }

  /// Bytes done so far; `now` in seconds of the clock that the bar was made with.
  package func advance(to done: UInt64, now: Double) {
    guard isShown else { return }
    bar.withLock { bar in
      let line = bar.advance(to: done, now: now, columns: terminal.errorColumns)
      if let line, !terminal.isLineBeingTyped { terminal.redrawErrorLine(line, stays: false) }
    }
  }

  /// Draws the last state and leaves it standing.
  package func finish(now: Double) {
    guard isShown else { return }
    bar.withLock { bar in
      let line = bar.finish(now: now, columns: terminal.errorColumns)
      if terminal.isLineBeingTyped {
        terminal.note(SafeText(line: line))
      } else {
        terminal.redrawErrorLine(line, stays: true)
      }
    }
  }
}
