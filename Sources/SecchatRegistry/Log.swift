internal import Glibc

/// What the registry tells its operator: a line each, on standard error. Never content, never a key or fingerprint;
/// addresses only at `debug`.
package struct Log: Sendable {
  package enum Level: Int, CaseIterable, Comparable, Sendable {
    case error, warning, info, debug

    package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

    package var name: String {
      switch self {
      case .error: "error"
      case .warning: "warning"
      case .info: "info"
      case .debug: "debug"
      }
    }

    package init?(name: String) {
      guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
      self = level
    }
  }

  package let level: Level
  private let sink: @Sendable (String) -> Void

  /// Lines of `level` and what is more urgent go to `sink`, each with its end of line.
  package init(level: Level, sink: @escaping @Sendable (String) -> Void = Log.standardError) {
    self.level = level
    self.sink = sink
  }

  /// Says nothing.
  package static let silent = Log(level: .error) { _ in }

  package func error(_ text: @autoclosure () -> String) { emit(.error, text) }
  package func warning(_ text: @autoclosure () -> String) { emit(.warning, text) }
  package func info(_ text: @autoclosure () -> String) { emit(.info, text) }
  package func debug(_ text: @autoclosure () -> String) { emit(.debug, text) }

  private func emit(_ level: Level, _ text: () -> String) {
    guard level <= self.level else { return }
    sink("\(Self.timestamp()) \(level.name): \(text())\n")
  }

  /// UTC, as RFC 3339 writes it.
  private static func timestamp() -> String {
    var now = time(nil)
    var parts = unsafe tm()
    guard unsafe gmtime_r(&now, &parts) != nil else { return "-" }
    let (year, month, day) = unsafe (parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday)
    let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))Z"
  }

  /// One write a line, so that lines of several threads do not mix.
  package static let standardError: @Sendable (String) -> Void = { line in
    var bytes = Array(line.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
