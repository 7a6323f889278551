// For libm, which rounding a Double links to.
import Glibc

/// Turns the text of an option or argument into a value, or says what it expects.
package struct ValueParser<Value: Sendable>: Sendable {
  /// Completes "… must be".
  package let expects: String
  package let convert: @Sendable (String) -> Value?

  package init(expects: String, convert: @escaping @Sendable (String) -> Value?) {
    self.expects = expects
    self.convert = convert
  }

  /// `subject` is the option or argument as the user knows it.
  package func parse(_ text: String, of subject: String) throws(UsageError) -> Value {
    if let value = convert(text) { return value }
    throw UsageError("\(subject) cannot be '\(text)'", hint: "it must be \(expects)")
  }
}

/// Where to connect or listen. The host keeps no brackets.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
  package var host: String
  package var port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension ValueParser where Value == Int {
  /// A whole decimal number in a range.
  package static func integer(in range: ClosedRange<Int>) -> ValueParser {
    let expects =
      switch (range.lowerBound, range.upperBound) {
      case (let low, Int.max): "a whole number of at least \(low)"
      case (let low, let high): "a whole number from \(low) to \(high)"
      }
    return ValueParser(expects: expects) { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Bytes: `4096`, `500k`, `10M`, `2G`; units of 1,000, or of 1,024 as `KiB`, `MiB`, `GiB`.
  package static let byteCount = ValueParser(
    expects: "a number of bytes such as 4096, 500k, 10M or 1GiB", convert: bytes)

  /// Bytes a second, at least 1: `500k`, `10M`, also `10M/s`.
  package static let byteRate = ValueParser(expects: "bytes a second such as 500k or 10M") { text in
    let amount = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
    return bytes(amount).flatMap { $0 > 0 ? $0 : nil }
  }
}

extension ValueParser where Value == Duration {
  /// `10`, `10s`, `1.5s`, `500ms`, `5m`, `1h` or `2d`; at most ten years.
  package static let duration = ValueParser(expects: "a time such as 10, 10s, 5m, 1h or 2d") { text in
    let (number, unit) = split(text)
    let milliseconds: [String: Double] = [
      "ms": 1, "": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]
    guard let number, let scale = milliseconds[unit] else { return nil }
    let total = number * scale
    return total <= 315_360_000_000 ? .milliseconds(Int64(total.rounded())) : nil
  }
}

extension ValueParser where Value == HostPort {
  /// `HOST:PORT` or `[v6]:PORT`. Port 0, which lets the system choose, only where it makes sense;
  /// an empty host (`:7000`, every interface) likewise.
  package static func hostPort(listening: Bool = false, defaultPort: UInt16? = nil) -> ValueParser {
    let shape = defaultPort == nil ? "HOST:PORT" : "HOST or HOST:PORT"
    return ValueParser(expects: "\(shape), IPv6 as [::1]:PORT") { text in
      guard let (host, portText) = splitHost(text) else { return nil }
      guard let portText else {
        guard !host.isEmpty, let defaultPort else { return nil }
        return HostPort(host: host, port: defaultPort)
      }
      guard !portText.isEmpty, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let port = UInt16(portText), listening || (port != 0 && !host.isEmpty)
      else { return nil }
      return HostPort(host: host, port: port)
    }
  }
}

extension ValueParser where Value == String {
  /// One of some words.
  package static func choice(_ words: [String]) -> ValueParser {
    ValueParser(expects: enumerate(words)) { words.contains($0) ? $0 : nil }
  }
}

extension ValueParser where Value: RawRepresentable<String> & CaseIterable {
  /// One of the raw values of an enumeration.
  package static func choice(_ type: Value.Type = Value.self) -> ValueParser {
    ValueParser(expects: enumerate(Value.allCases.map(\.rawValue))) { Value(rawValue: $0) }
  }
}

private func enumerate(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// A decimal number with an optional fraction, and what follows it.
private func split(_ text: String) -> (number: Double?, unit: String) {
  let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  guard digits.first?.isNumber == true, digits.last?.isNumber == true, digits.count <= 18 else {
    return (nil, "")
  }
  return (Double(digits), String(text.dropFirst(digits.count)))
}

private func bytes(_ text: String) -> Int? {
  let (number, unit) = split(text)
  let scales: [String: Double] = [
    "": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12,
    "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776,
  ]
  guard let number, let scale = scales[unit.lowercased()] else { return nil }
  let total = number * scale
  return total < 9e18 && total == total.rounded() ? Int(total) : nil
}

private func splitHost(_ text: String) -> (host: String, port: String?)? {
  guard text.utf8.count <= 300, !text.contains(where: \.isWhitespace) else { return nil }
  if text.hasPrefix("[") {
    guard let end = text.firstIndex(of: "]") else { return nil }
    let host = String(text[text.index(after: text.startIndex)..<end])
    let rest = text[text.index(after: end)...]
    let allowed = host.utf8.allSatisfy { isAddressByte($0) }
    guard host.contains(":"), allowed, rest.isEmpty || rest.hasPrefix(":") else { return nil }
    return (host, rest.isEmpty ? nil : String(rest.dropFirst()))
  }
  let parts = text.split(separator: ":", omittingEmptySubsequences: false)
  guard parts.count <= 2, !text.contains(where: { "[]/@".contains($0) }) else { return nil }
  return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
}

/// Hexadecimal, colons, dots, and a zone after `%`.
private func isAddressByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x25, 0x2D, 0x2E, 0x5F: true
  default: false
  }
}
