import SecchatArguments
import Testing

@Suite struct ValueParserTests {
  @Test(arguments: [("0", 0), ("10", 10), ("7", 7)])
  func integers(_ text: String, _ value: Int) {
    #expect(ValueParser.integer(in: 0...10).convert(text) == value)
  }

  @Test(arguments: ["11", "-1", "", "1.0", "ten", " 1", "99999999999999999999"])
  func notIntegers(_ text: String) {
    #expect(ValueParser.integer(in: 0...10).convert(text) == nil)
  }

  @Test(arguments: [
    ("10", Duration.seconds(10)), ("10s", .seconds(10)), ("5m", .seconds(300)), ("1h", .seconds(3600)),
    ("1.5s", .milliseconds(1500)), ("250ms", .milliseconds(250)), ("2d", .seconds(172_800)), ("0", .zero),
  ])
  func durations(_ text: String, _ value: Duration) {
    #expect(ValueParser.duration.convert(text) == value)
  }

  @Test(arguments: ["", "s", "-1", "1x", ".5", "5.", "1 s", "1e5", "99999999999h", "1.2.3", "inf", "nan"])
  func notDurations(_ text: String) {
    #expect(ValueParser.duration.convert(text) == nil)
  }

  @Test(arguments: [
    ("500k", 500_000), ("10M", 10_000_000), ("1KiB", 1024), ("3", 3), ("1.5k", 1500), ("2G/s", 2_000_000_000),
  ])
  func rates(_ text: String, _ value: Int) {
    #expect(ValueParser.byteRate.convert(text) == value)
  }

  @Test(arguments: ["0", "", "k", "-5", "1.5", "5kk", "fast", "9999999999T"])
  func notRates(_ text: String) {
    #expect(ValueParser.byteRate.convert(text) == nil)
  }

  @Test func countsMayBeZero() {
    #expect(ValueParser.byteCount.convert("0") == 0)
    #expect(ValueParser.byteCount.convert("1/s") == nil)
  }

  @Test(arguments: [
    ("example.org:7000", "example.org", 7000), ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]:65535", "::1", 65535),
    ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
  ])
  func addresses(_ text: String, _ host: String, _ port: UInt16) {
    let value = ValueParser.hostPort().convert(text)
    #expect(value == HostPort(host: host, port: port))
    #expect(value?.description == text)
  }

  @Test(arguments: [
    "", "host", "host:", ":7000", "host:0", "host:65536", "host:-1", "host:+1", "::1:80", "[::1]", "[::1]80",
    "[host]:80", "[::1:80", "a b:80", "user@host:80", "host:80:90", "host:٣",
  ])
  func notAddresses(_ text: String) {
    #expect(ValueParser.hostPort().convert(text) == nil)
  }

  @Test func listeningAndDefaults() {
    #expect(ValueParser.hostPort(listening: true).convert("0.0.0.0:0") == HostPort(host: "0.0.0.0", port: 0))
    #expect(ValueParser.hostPort(listening: true).convert(":7000") == HostPort(host: "", port: 7000))
    let lenient = ValueParser.hostPort(defaultPort: 7)
    #expect(lenient.convert("host") == HostPort(host: "host", port: 7))
    #expect(lenient.convert("[::1]") == HostPort(host: "::1", port: 7))
    #expect(lenient.convert("") == nil)
    #expect(lenient.convert("host:") == nil)
  }

  @Test(
    arguments: [
      ("2h", 1_700_000_000 - 7200), ("1d", 1_700_000_000 - 86_400), ("1600000000", 1_600_000_000),
      ("2023-11-14T22:13:20Z", 1_700_000_000), ("2023-11-14 22:13Z", 1_699_999_980), ("1970-01-02Z", 86_400),
      ("2024-02-29Z", 1_709_164_800),
    ] as [(String, Int64)])
  func pastTimes(_ text: String, _ value: Int64) {
    #expect(ValueParser.pastTime(now: 1_700_000_000).convert(text) == value)
  }

  @Test(arguments: [
    "", "yesterday", "3600", "2023-13-01", "2023-06-31", "2023-02-29", "2023-1-1", "2023-11-14 24:00",
    "2023-11-14 1:00", "2023-11-14T", "2023-11-14 22:13:20 Z", "-2h", "٢٠٢٣-11-14",
  ])
  func notPastTimes(_ text: String) {
    #expect(ValueParser.pastTime(now: 1_700_000_000).convert(text) == nil)
  }

  @Test func localTimesAreWithinADayOfUTC() throws {
    let local = try #require(ValueParser.pastTime(now: 0).convert("2023-11-14 22:13:20"))
    #expect(abs(local - 1_700_000_000) <= 14 * 3600)
  }

  enum Choice: String, CaseIterable { case ask, always, never }

  @Test func choices() {
    #expect(ValueParser.choice(["a", "b"]).convert("b") == "b")
    #expect(ValueParser.choice(["a", "b"]).convert("B") == nil)
    #expect(ValueParser.choice(Choice.self).convert("never") == .never)
    #expect(ValueParser.choice(Choice.self).expects == "ask, always or never")
  }
}
