import Testing

@testable import SecchatTerminal

@Suite struct SafeTextTests {
  @Test(arguments: [
    ("plain", "plain"),
    ("\u{1B}[31mred\u{1B}[0m", "red"),
    ("\u{1B}[2J\u{1B}[Hgone?", "gone?"),
    ("\u{9B}31mred", "red"),
    ("\u{1B}]0;title\u{07}text", "text"),
    ("\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
    ("\u{1B}P1;2|secret\u{9C}out", "out"),
    ("\u{1B}]0;never ends", "0;never ends"),
    ("\u{1B}(0lqk", "lqk"), ("\u{1B}c reset", " reset"), ("\u{1B}", ""), ("\u{1B}[", ""), ("\u{1B}[12", ""),
    ("a\u{8}b\u{7}c\u{0}d\u{7F}e", "abcde"),
    ("a\u{85}b\u{90}c\u{9F}", "abc"),
    ("a\rb\nc\r\nd", "a b c d"), ("a\tb", "a b"),
    ("evil\u{202E}txt.exe", "eviltxt.exe"),
    ("\u{202A}\u{202B}\u{202C}\u{202D}\u{2066}\u{2067}\u{2068}\u{2069}\u{200E}\u{200F}\u{61C}x", "x"),
    ("a\u{FEFF}b\u{200B}c\u{2060}d\u{AD}e", "abcde"),
    ("a\u{E0001}\u{E0041}\u{E007F}b", "ab"), ("a\u{2028}b\u{2029}c", "abc"),
    ("a\u{FFF9}b\u{FFFB}\u{FFFE}\u{3164}\u{115F}", "ab"),
    ("al\u{200D}ice\u{200C}", "alice"),
    ("👩\u{200D}🚀", "👩\u{200D}🚀"), ("❤\u{FE0F}", "❤\u{FE0F}"), ("👍🏽", "👍🏽"),
    ("می\u{200C}خواهم", "می\u{200C}خواهم"), ("क्\u{200D}ष", "क्\u{200D}ष"),
    ("\u{301}x", "x"), ("é", "é"), ("日本語", "日本語"), ("שלום", "שלום"),
  ])
  func oneLine(_ text: String, _ expected: String) {
    #expect(Array(SafeText(line: text).plain.unicodeScalars) == Array(expected.unicodeScalars))
  }

  /// Beginnings of control strings that never end: none of them hides anything, and each is looked at once.
  @Test(.timeLimit(.minutes(1)), arguments: ["\u{9D}", "\u{90}", "\u{98}", "\u{9E}", "\u{9F}", "\u{9D}x"])
  func controlStringsTakeLinearTime(_ beginning: String) {
    let count = 262_144 / beginning.utf8.count
    let text = String(repeating: beginning, count: count)
    let clean = SafeText(line: text).plain
    #expect(clean.count == (beginning.hasSuffix("x") ? count : 0))
    let scalars = Array(text.unicodeScalars)
    var strings = ControlStrings(scalars)
    let isNone = (1...scalars.count).allSatisfy { strings.end(from: $0) == nil }
    #expect(isNone)
    #expect(strings.looks <= 2 * scalars.count)
  }

  @Test(arguments: [
    ("\u{9D}a\u{9D}b\u{9C}c\u{9D}d\u{9C}e", "ce"), ("\u{9D}a\u{90}b\nc\u{9D}d\u{7}e", "ab ce"),
    ("\u{9D}a\u{9D}b\u{1B}[1mc\u{9F}d\u{1B}\\e", "abce"),
  ])
  func severalControlStrings(_ text: String, _ expected: String) {
    #expect(SafeText(line: text).plain == expected)
  }

  @Test func marksAreBounded() {
    let zalgo = "a" + String(repeating: "\u{335}\u{301}", count: 50) + "b"
    #expect(SafeText(line: zalgo).plain.unicodeScalars.count == 7)
    // A mark must not fall on a blank or on text of ours either.
    #expect(SafeText(line: "a \u{336}").plain == "a ")
  }

  @Test func bodiesKeepLines() {
    #expect(SafeText(body: "a\r\nb\rc\nd\u{1B}[1A", indent: 2).plain == "a\n  b\n  c\n  d")
    #expect(SafeText(body: "\n\u{301}x", indent: 1).plain == "\n x")
  }

  @Test func namesShowWhatIsMissing() {
    #expect(SafeText(name: "evil\u{202E}txt\u{1B}[1m.exe").plain == "evil\u{FFFD}txt\u{FFFD}.exe")
    #expect(SafeText(name: "a\nb\u{A0}c\u{2003}d").plain == "a\u{FFFD}b c d")
    let long = SafeText(name: String(repeating: "x", count: 100) + ".exe", columns: 20)
    #expect(long.displayWidth == 20)
    #expect(long.plain.hasSuffix("xxxxx.exe"))
  }

  @Test func interpolationTrustsLiteralsOnly() {
    let text: SafeText = "\("\u{1B}[2Jbob", .name): \(body: "x\ny", indent: 3) \(7)"
    #expect(text.plain == "bob: x\n   y 7")
    #expect(text.rendered(colour: true) == "\u{1B}[1;36mbob\u{1B}[0m: x\n   y 7")
    #expect(text.rendered(colour: false) == text.plain)
  }

  @Test func wrappedRowsAreIndented() {
    let text: SafeText = "\("bob", .name)  \(body: "abcdefgh\nij", indent: 5)"
    #expect(text.wrapped(toColumns: 8, indent: 5).plain == "bob  abc\n     def\n     gh\n     ij")
    #expect(text.wrapped(toColumns: 80, indent: 5) == text)
    // Wide characters and marks; no joined emoji is taken for narrower than any terminal shows it.
    let wide: SafeText = "> \("日本語 e\u{301}e\u{301}👩\u{200D}🚀❤\u{FE0F}")"
    #expect(
      wide.wrapped(toColumns: 6, indent: 2).plain.split(separator: "\n") == [
        "> 日本", "  語 e\u{301}", "  e\u{301}", "  👩\u{200D}🚀", "  ❤\u{FE0F}",
      ])
  }

  /// What terminals may show wider than our tables know: new characters, letters that are not joined.
  @Test(arguments: [
    "\u{1FAFF}", "\u{E000}", "\u{1161}", "\u{1F1E9}\u{1F1EA}", "👨\u{200D}👩\u{200D}👧\u{200D}👦",
  ])
  func wrappingAllowsForEveryTerminal(_ piece: String) {
    let text = SafeText(line: String(repeating: piece, count: 100)).wrapped(toColumns: 20, indent: 2)
    #expect(text.plain.split(separator: "\n").allSatisfy { $0.unicodeScalars.count <= 20 })
    #expect(text.plain.contains("\n"))
  }

  /// Whatever comes, nothing that acts on a terminal comes out, and cleaning again changes nothing.
  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
  func nothingForbiddenIsLeft(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    let nasty: [ClosedRange<UInt32>] = [
      0...0x1F, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xE0000...0xE0080,
      0x300...0x330, 0x20...0x7E, 0xFE00...0xFE0F, 0x1F466...0x1F469, 0xFFF0...0xFFFF, 0...0x10FFFF,
      0x1B...0x1B, 0x30...0x3B, 0x5B...0x5D,
    ]
    for _ in 0..<400 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let range = nasty.randomElement(using: &random) ?? 0...0
        if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
      }
      let line = SafeText(line: String(text)).plain
      let body = SafeText(body: String(text)).plain
      let name = SafeText(name: String(text)).plain
      #expect(line.unicodeScalars.allSatisfy { !isForbidden($0) })
      #expect(body.unicodeScalars.allSatisfy { $0 == "\n" || !isForbidden($0) })
      #expect(name.unicodeScalars.allSatisfy { !isForbidden($0) })
      #expect(SafeText(line: line).plain == line)
      #expect(displayWidth(name) <= 64)
    }
  }

  /// Written from the list of code points, not from the properties that the program asks.
  private func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1F, 0x7F...0x9F, 0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
      0xFFF9...0xFFFB, 0xFFFE, 0xFFFF, 0xE0000...0xE0FFF, 0xFDD0...0xFDEF:
      true
    default: false
    }
  }
}

/// A small generator, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
