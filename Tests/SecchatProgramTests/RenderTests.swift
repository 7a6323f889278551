import SecchatNode
import SecchatTerminal
import Testing

@testable import secchat

@Suite struct RenderTests {
  /// Some day in 2026, at noon.
  private let now: Int64 = 1_790_000_000
  private var render: Render { Render(now: { 1_790_000_000 }) }
  private var shell: Render { Render(inShell: true, now: { 1_790_000_000 }) }

  private func message(_ text: String, from: String = "bob", verified: Bool = false) -> Event {
    .message(
      .init(id: randomID(), from: from, to: "alice", text: text, time: Double(now), verified: verified))
  }

  @Test func aMessageIsItsTimeItsSenderAndItsText() throws {
    let text = try #require(render.text(message("hello"))).plain
    #expect(text == "\(LocalTime.clock(now)) bob  hello")
  }

  @Test func aVerifiedSenderIsMarked() throws {
    let text = try #require(render.text(message("hello", verified: true))).plain
    #expect(text == "\(LocalTime.clock(now)) bob✓ hello")
  }

  @Test func furtherLinesStandUnderTheFirst() throws {
    let text = try #require(render.text(message("one\ntwo"))).plain
    #expect(text == "\(LocalTime.clock(now)) bob  one\n           two")
  }

  /// At whatever width, only the first row of what comes from others begins in the first column.
  @Test(arguments: [20, 40, 80, 81])
  func onATerminalEveryRowIsIndented(columns: Int) throws {
    let forged = String(repeating: "x", count: 200) + "12:00 carol  pay bob"
    let narrow = Render(now: { 1_790_000_000 }, columns: { columns })
    for event in [
      message(forged + "\n" + forged), message(forged, from: String(repeating: "b", count: 32)),
      .file(.init(id: "1", from: "bob", name: forged, path: "/d/" + forged, bytes: 1)),
      .offered(.init(id: "abcdef0123", from: "bob", name: forged, items: 2, bytes: 1)),
    ] {
      let text = try #require(narrow.text(event)).plain
      let rows = text.split(separator: "\n")
      #expect(rows.count > 1)
      #expect(rows.allSatisfy { $0.count <= columns })
      #expect(rows.dropFirst().allSatisfy { $0.hasPrefix("     ") }, "\(text)")
      let whole = try #require(render.text(event)).plain
      #expect(text.filter { !$0.isWhitespace } == whole.filter { !$0.isWhitespace })
    }
  }

  @Test func withoutATerminalLinesStayWhole() throws {
    let text = String(repeating: "x", count: 2_000)
    #expect(try #require(render.text(message(text))).plain.contains(text))
  }

  @Test func nothingOfAMessageMovesTheCursor() throws {
    let hostile = "a\u{1B}[2Jb\rc\u{9B}31md\u{202E}e\u{7}f"
    for colour in [false, true] {
      let text = try #require(render.text(message(hostile, from: "b\u{1B}[1mob"))).rendered(colour: colour)
      let styles = colour ? text.unicodeScalars.count { $0.value == 0x1B } : 0
      // With colour the only escape sequences are those of the time and the name: on and off.
      #expect(styles == (colour ? 4 : 0))
      #expect(!text.unicodeScalars.contains { [0x0D, 0x9B, 0x202E, 0x07].contains($0.value) })
    }
  }

  @Test(arguments: [
    Event.file(.init(id: "1", from: "b\u{1B}ob", name: "x\u{1B}[2J\n.txt", path: "/d/\u{1B}x", bytes: 1)),
    .offered(.init(id: "1\u{1B}", from: "bob", name: "\u{202E}gpj.exe\n", items: 2, bytes: 1)),
    .presence(.init(user: "\u{1B}c", online: true)),
    .error(.init(code: .usage, message: "no \u{1B}[2J\nsuch file", hint: "\r")),
    .keyChange(.init(user: "b\u{1B}", old: "\u{1B}", new: "\n\u{1B}", verdict: "continuous")),
    .done(.init(id: "1", to: "bob", name: "\u{1B}\n", bytes: 1, total: 1, seconds: 1)),
  ])
  func everyEventIsMadeHarmless(event: Event) throws {
    let text = try #require(render.text(event)).plain
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
  }

  @Test func whatWasLeftOutOfAFolderIsSaid() throws {
    var sent = Event.Transfer(id: "1", to: "bob", name: "photos", bytes: 1, total: 1, seconds: 0)
    #expect(render.text(.done(sent))?.plain.contains("left out") == false)
    sent.skipped = 1
    #expect(render.text(.done(sent))?.plain.hasSuffix("; 1 link or device left out") == true)
    sent.skipped = 2
    #expect(render.text(.done(sent))?.plain.hasSuffix("; 2 links or devices left out") == true)
  }

  @Test func besideJSONOnlyWarningsAreRendered() {
    let events = [
      message("hello"), .failure(NodeError(.internal, "no")),
      .keyChange(.init(user: "bob", old: "aaaa", new: "bbbb", verdict: "unexplained")),
    ]
    let (json, plain) = (Output(.plain, json: true), Output(.plain, json: false))
    #expect(events.map { json.text($0) != nil } == [false, true, true])
    #expect(events.map { plain.text($0) != nil } == [true, true, true])
  }

  @Test func anErrorIsOneLine() throws {
    let event = Event.failure(NodeError(.peerOffline, "bob is offline", hint: "try later"))
    #expect(render.text(event)?.plain == "secchat: bob is offline; try later")
    #expect(shell.text(event)?.plain == "bob is offline; try later")
    #expect(render.text(.failure(NodeError(.internal, "no")))?.plain == "secchat: no")
  }

  @Test func anUnexplainedChangeSaysWhatToDo() throws {
    let event = Event.keyChange(.init(user: "bob", old: "aaaa", new: "bbbb", verdict: "unexplained"))
    let text = try #require(render.text(event)).plain
    #expect(text.hasPrefix("WARNING: "))
    #expect(text.contains("aaaa") && text.contains("bbbb"))
    #expect(text.contains("secchat trust bob FINGERPRINT"))
    // A verdict of a later version must not look harmless.
    let unknown = Event.keyChange(.init(user: "bob", old: "aaaa", new: "bbbb", verdict: "else"))
    #expect(render.text(unknown)?.plain.hasPrefix("WARNING: ") == true)
    let explained = Event.keyChange(.init(user: "bob", old: "aaaa", new: "aaaa", verdict: "recovered"))
    #expect(render.text(explained)?.plain.hasPrefix("WARNING: ") == false)
  }

  @Test func offersSayHowToAnswer() throws {
    let offered = Event.offered(
      .init(id: "abcdef0123", from: "bob", name: "a.txt", items: 1, bytes: 1_500))
    #expect(try #require(shell.text(offered)).plain.contains("accept abcdef'"))
    #expect(try #require(render.text(offered)).plain.contains("shell"))
  }

  @Test func safetyNumbersComeInGroups() throws {
    let digits = String(repeating: "1234567890", count: 6)
    let event = Event.safetyNumber(.init(user: "bob", number: digits, verified: false))
    let lines = try #require(render.text(event)).plain.split(separator: "\n")
    #expect(lines.dropFirst().allSatisfy { $0 == "  12345 67890 12345 67890" })
    #expect(lines.count == 4)
  }
}
