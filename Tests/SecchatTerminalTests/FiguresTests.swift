import Glibc
import SecchatTerminal
import Testing

@Suite struct FiguresTests {
  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1449, "1.4 kB"), (1450, "1.5 kB"), (99_949, "99.9 kB"),
      (99_950, "100 kB"), (999_449, "999 kB"), (999_950, "1.0 MB"), (1_400_000, "1.4 MB"),
      (2_000_000_000, "2.0 GB"), (UInt64.max, "18.4 EB"),
    ] as [(UInt64, String)])
  func sizes(_ bytes: UInt64, _ text: String) { #expect(byteSize(bytes) == text) }

  @Test(
    arguments: [
      (-5, "0 s"), (9, "9 s"), (65, "1:05"), (3599, "59:59"), (7205, "2:00:05"), (273_600, "3 d 4 h"),
    ] as [(Int64, String)])
  func spans(_ seconds: Int64, _ text: String) { #expect(timeSpan(seconds: seconds) == text) }

  @Test func times() {
    let now: Int64 = 1_700_000_000
    #expect(LocalTime.clock(now).count == 5)
    #expect(LocalTime.dateAndTime(now).hasPrefix("2023-11-1"))
    #expect(LocalTime.short(now, now: now) == LocalTime.clock(now))
    #expect(LocalTime.short(now - 2 * 86_400, now: now).hasSuffix(LocalTime.clock(now)))
    #expect(LocalTime.short(now - 30 * 86_400, now: now) == LocalTime.dateAndTime(now - 30 * 86_400))
    #expect(LocalTime.relative(now - 30, now: now) == "just now")
    #expect(LocalTime.relative(now - 300, now: now) == "5 min ago")
    #expect(LocalTime.relative(now - 7200, now: now) == "2 h ago")
    #expect(LocalTime.relative(now - 3 * 86_400, now: now) == "3 d ago")
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("👩‍🚀", 2), ("🇩🇪", 2), ("❤️", 2), ("👍🏽", 2),
    ("한", 2),
    ("ａ", 2), ("ש", 1),
  ])
  func widths(_ text: String, _ columns: Int) { #expect(displayWidth(text) == columns) }

  @Test(arguments: [
    ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("abc", 1, "…"),
    ("abc", 0, ""),
    ("👩‍🚀👩‍🚀", 3, "👩‍🚀…"),
  ])
  func truncation(_ text: String, _ columns: Int, _ expected: String) {
    #expect(truncate(text, toColumns: columns) == expected)
  }
}

@Suite struct ProgressBarTests {
  @Test func drawsAndFinishes() {
    var bar = ProgressBar(name: "photo.jpg", total: 1_000_000, now: 10)
    #expect(bar.advance(to: 0, now: 10, columns: 80)?.contains("  0%") == true)
    let line = bar.advance(to: 500_000, now: 11, columns: 80)
    #expect(line == "photo.jpg [" + bars(14, 15) + "]  50%    500 kB    500 kB/s  1 s left")
    let last = bar.advance(to: 1_000_000, now: 12, columns: 80)
    #expect(last?.contains("100%    1.0 MB    500 kB/s  0 s left") == true)
    #expect(bar.finish(now: 12, columns: 80).hasSuffix("] 100%    1.0 MB    500 kB/s  2 s"))
  }

  private func bars(_ full: Int, _ empty: Int) -> String {
    String(repeating: "#", count: full) + String(repeating: "-", count: empty)
  }

  @Test func atMostTenTimesASecond() {
    var bar = ProgressBar(name: "x", total: 1000, now: 0)
    let drawn = (0..<1000).compactMap { bar.advance(to: UInt64($0), now: Double($0) / 1000, columns: 80) }
    #expect((9...11).contains(drawn.count))
  }

  @Test(arguments: [10, 20, 33, 40, 60, 80, 200])
  func fitsTheWidth(_ columns: Int) {
    var bar = ProgressBar(
      name: "日本語の長い名前のファイル\u{1B}[2J.tar.gz", total: 123_456_789, resumedFrom: 1_000_000, now: 0)
    let line = bar.advance(to: 100_000_000, now: 60, columns: columns) ?? ""
    #expect(displayWidth(line) <= max(20, columns - 1))
    #expect(!line.contains("\u{1B}"))
  }

  @Test func emptyFileAndResume() {
    var empty = ProgressBar(name: "e", total: 0, now: 0)
    #expect(empty.finish(now: 0, columns: 80).contains("100%"))
    var resumed = ProgressBar(name: "r", total: 100_000, resumedFrom: 90_000, now: 0)
    _ = resumed.advance(to: 100_000, now: 1, columns: 80)
    #expect(resumed.finish(now: 1, columns: 80).contains("10.0 kB/s"))
  }

  @Test func stalledTransferHasNoTimeLeft() {
    var bar = ProgressBar(name: "s", total: 100, now: 0)
    #expect(bar.advance(to: 0, now: 1, columns: 80)?.contains("left") == false)
  }
}
