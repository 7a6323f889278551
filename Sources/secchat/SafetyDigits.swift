/// A safety number for reading aloud: 12 groups of 5 digits, four on a line.
enum SafetyDigits {
  static let count = 60

  static func lines(_ number: String) -> [String] {
    split(split(Array(number), by: 5).map { String($0) }, by: 4).map { $0.joined(separator: " ") }
  }

  /// The digits of a number as it was typed or pasted, with or without its blanks; nil for what is no safety
  /// number at all.
  static func parse(_ words: [String]) -> String? {
    let digits = words.joined().filter { !$0.isWhitespace && $0 != "-" }
    return digits.allSatisfy { $0.isASCII && $0.isNumber } && digits.count == count ? digits : nil
  }

  private static func split<Element>(_ elements: [Element], by size: Int) -> [[Element]] {
    stride(from: 0, to: elements.count, by: size).map {
      Array(elements[$0..<Swift.min($0 + size, elements.count)])
    }
  }
}
