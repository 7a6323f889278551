import Glibc

/// `1.4 MB`: three figures at most, units of 1,000.
package func byteSize(_ bytes: UInt64) -> String {
  guard bytes >= 1000 else { return "\(bytes) B" }
  let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
  var scale: UInt64 = 1000
  var index = 0
  // 999,950 would otherwise show as 1000.0 kB.
  while index < units.count - 1, bytes / scale > 999 || tenths(bytes, scale) >= 9_995 {
    scale *= 1000
    index += 1
  }
  let value = tenths(bytes, scale)
  return value < 1000 ? "\(value / 10).\(value % 10) \(units[index])" : "\((value + 5) / 10) \(units[index])"
}

/// Rounded to the nearest tenth of the unit.
private func tenths(_ bytes: UInt64, _ scale: UInt64) -> UInt64 {
  bytes / scale * 10 + (bytes % scale * 10 + scale / 2) / scale
}

/// `3.2 MB/s`
package func byteRate(_ bytesPerSecond: UInt64) -> String { byteSize(bytesPerSecond) + "/s" }

/// `9 s`, `1:05`, `2:00:05`, `3 d 4 h`
package func timeSpan(seconds: Int64) -> String {
  func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
  switch max(0, seconds) {
  case let s where s < 60: return "\(s) s"
  case let s where s < 3600: return "\(s / 60):\(two(s % 60))"
  case let s where s < 86_400: return "\(s / 3600):\(two(s / 60 % 60)):\(two(s % 60))"
  case let s: return "\(s / 86_400) d \(s / 3600 % 24) h"
  }
}

/// Local times; Unix seconds go in.
package enum LocalTime {
  /// `14:05`
  package static func clock(_ time: Int64) -> String { format(time, "%H:%M") }

  /// `2025-06-01 14:05`
  package static func dateAndTime(_ time: Int64) -> String { format(time, "%Y-%m-%d %H:%M") }

  /// `14:05` today, `Mon 14:05` within six days, `2025-06-01 14:05` otherwise.
  package static func short(_ time: Int64, now: Int64) -> String {
    if format(time, "%F") == format(now, "%F") { return clock(time) }
    return (0...6 * 86_400).contains(now - time) ? format(time, "%a %H:%M") : dateAndTime(time)
  }

  /// `just now`, `5 min ago`, `3 h ago`, `2 d ago`
  package static func relative(_ time: Int64, now: Int64) -> String {
    switch now - time {
    case ..<60: "just now"
    case let s where s < 3600: "\(s / 60) min ago"
    case let s where s < 86_400: "\(s / 3600) h ago"
    case let s: "\(s / 86_400) d ago"
    }
  }

  private static func format(_ time: Int64, _ pattern: String) -> String {
    var seconds = time_t(time)
    var parts = unsafe tm()
    guard unsafe localtime_r(&seconds, &parts) != nil else { return "?" }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&buffer, buffer.count, pattern, &parts)
    return count == 0
      ? "?" : String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
