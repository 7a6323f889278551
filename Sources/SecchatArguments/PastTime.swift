import Glibc

extension ValueParser where Value == Int64 {
  /// A moment that is over, in Unix seconds: `2h` and `3d` before now, `2025-06-01`,
  /// `2025-06-01 14:05[:09]` (also with a `T`) in local time or in UTC with a `Z`, or Unix seconds.
  package static func pastTime(now: Int64) -> ValueParser {
    ValueParser(expects: "a time such as 2h, 3d, 2025-06-01 or '2025-06-01 14:05'") { text in
      if let seconds = Int64(text) {
        // Less than that is 1973, and more likely a span whose unit was forgotten.
        return seconds >= 100_000_000 ? seconds : nil
      }
      if let span = ValueParser<Duration>.duration.convert(text) { return now - span.components.seconds }
      return dateAndTime(text)
    }
  }
}

private func dateAndTime(_ text: String) -> Int64? {
  var text = text[...]
  let isUTC = text.hasSuffix("Z")
  if isUTC { text = text.dropLast() }
  let halves = text.split(omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
  guard halves.count <= 2, let date = numbers(halves[0], separator: "-", widths: [4, 2, 2]) else {
    return nil
  }
  let clock: [Int32]
  if halves.count == 2 {
    guard
      let found = numbers(halves[1], separator: ":", widths: [2, 2, 2])
        ?? numbers(halves[1], separator: ":", widths: [2, 2])
    else { return nil }
    clock = found + (found.count == 2 ? [0] : [])
  } else {
    clock = [0, 0, 0]
  }
  guard (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]) else {
    return nil
  }
  var parts = unsafe tm()
  unsafe parts.tm_year = date[0] - 1900
  unsafe parts.tm_mon = date[1] - 1
  unsafe parts.tm_mday = date[2]
  unsafe parts.tm_hour = clock[0]
  unsafe parts.tm_min = clock[1]
  unsafe parts.tm_sec = clock[2]
  unsafe parts.tm_isdst = -1
  let seconds = isUTC ? unsafe timegm(&parts) : unsafe mktime(&parts)
  // A day that does not exist (the 31st of June) comes back as another one.
  guard unsafe parts.tm_mon == date[1] - 1, unsafe parts.tm_mday == date[2] else { return nil }
  return Int64(seconds)
}

private func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int32]? {
  let parts = text.split(separator: separator, omittingEmptySubsequences: false)
  guard parts.count == widths.count else { return nil }
  var values: [Int32] = []
  for (part, width) in zip(parts, widths) {
    guard part.utf8.count == width, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int32(part)
    else { return nil }
    values.append(value)
  }
  return values
}
