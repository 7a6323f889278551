import Foundation
import Glibc
import SecchatTerminal
import TestSupport
import Testing

extension TerminalTests {
  @Suite struct LineEditorTests {
    /// An editor on a terminal of its own.
    private struct Desk {
      let pty: PseudoTerminal
      let terminal: Terminal
      let editor: LineEditor

      init(
        _ configuration: LineEditor.Configuration = .init(prompt: "me> "), columns: UInt16 = 40,
        isRead: Bool = true
      ) throws {
        unsafe setenv("TERM", "xterm", 1)
        pty = PseudoTerminal(columns: columns, isRead: isRead)
        terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "xterm" })
        editor = try LineEditor(configuration, terminal: terminal, input: pty.slave)
      }

      func close() {
        editor.close()
        pty.close()
      }

      /// Types, and waits for the line that results.
      func line(typing text: String) async throws -> String? {
        async let line = editor.nextLine()
        _ = await eventually { !pty.isCooked }
        pty.type(text)
        return try await line
      }

      func shows(_ lines: [String]) async -> Bool {
        let isShown = await eventually { pty.screen.lines == lines }
        // What is there instead, for the failure.
        if !isShown { Issue.record("\(pty.output.debugDescription)") }
        return isShown
      }
    }

    @Test func readsALineAndRestoresTheTerminal() async throws {
      let desk = try Desk()
      defer { desk.close() }
      #expect(desk.editor.isInteractive)
      #expect(desk.pty.isCooked)
      #expect(try await desk.line(typing: "hello grüße 日本 👍\r") == "hello grüße 日本 👍")
      #expect(desk.pty.isCooked && desk.pty.echoes)
    }

    @Test func textAppearsAboveHalfALine() async throws {
      let desk = try Desk()
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      desk.pty.type("hello wor")
      #expect(await desk.shows(["me> hello wor"]))
      desk.terminal.print("bob: are you there?")
      #expect(await desk.shows(["bob: are you there?", "me> hello wor"]))
      desk.pty.type("ld\r")
      #expect(try await line == "hello world")
      #expect(await desk.shows(["bob: are you there?", "me> hello world"]))
    }

    @Test func textAppearsAboveALongLineWithTheCursorInside() async throws {
      let desk = try Desk(columns: 20)
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      // Three rows of text; then the cursor goes back to the second.
      desk.pty.type("0123456789abcdefghijklmnopqrstuvwxyz0123456789")
      let rows = ["me> 0123456789abcdef", "ghijklmnopqrstuvwxyz", "0123456789"]
      #expect(await desk.shows(rows))
      desk.pty.type(String(repeating: "\u{2}", count: 15))
      #expect(await eventually { desk.pty.screen.row == 1 })
      desk.terminal.print("one")
      desk.terminal.print("two")
      #expect(await desk.shows(["one", "two"] + rows))
      desk.pty.type("!\r")
      #expect(try await line == "0123456789abcdefghijklmnopqrstu!vwxyz0123456789")
    }

    @Test func textAppearsAboveALineThatFillsItsRow() async throws {
      let desk = try Desk(columns: 20)
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      desk.pty.type("0123456789abcdef")
      #expect(await desk.shows(["me> 0123456789abcdef"]))
      desk.terminal.print("above")
      #expect(await desk.shows(["above", "me> 0123456789abcdef"]))
      desk.pty.type("g\r")
      #expect(try await line == "0123456789abcdefg")
    }

    /// On a terminal that takes nothing more, so that what comes before the prompt can be told from what comes after.
    @Test func nothingIsEchoedOnceThePromptIsThere() async throws {
      let desk = try Desk(isRead: false)
      desk.pty.fill()
      async let line = desk.editor.nextLine()
      #expect(await eventually { !desk.pty.echoes })
      desk.pty.startReading()
      desk.pty.type("once\r")
      #expect(try await line == "once")
      desk.close()
      let shown = desk.pty.output
      #expect(shown.components(separatedBy: "once").count == 2, "\(shown.debugDescription)")
    }

    @Test func manyThreadsPrintWhileALineIsTyped() async throws {
      let desk = try Desk()
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      let text = "the line that must arrive intact"
      await withTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask { for number in 0..<50 { desk.terminal.print("from \(writer): \(number)") } }
        }
        for character in text { desk.pty.type(String(character)) }
      }
      desk.pty.type("\r")
      #expect(try await line == text)
      // What was not shown before the line was ended comes after it.
      #expect(await eventually { desk.pty.screen.lines.count { $0.hasPrefix("from ") } == 200 })
      #expect(await eventually { desk.pty.screen.lines.contains("me> " + text) })
      let lines = desk.pty.screen.lines
      for writer in 0..<4 {
        let own = lines.filter { $0.hasPrefix("from \(writer): ") }
        #expect(own == (0..<50).map { "from \(writer): \($0)" })
      }
    }

    @Test func controlKeys() async throws {
      let desk = try Desk()
      defer { desk.close() }
      #expect(try await desk.line(typing: "wrong\u{3}right\r") == "right")
      #expect(try await desk.line(typing: "not the end\u{4}\r") == "not the end")
      #expect(try await desk.line(typing: "ab\u{1}x\u{5}y\r") == "xaby")
      #expect(try await desk.line(typing: "ab\u{1B}[D\u{1B}[Dx\u{1B}[3~\r") == "xb")
      #expect(try await desk.line(typing: "\u{4}") == nil)
      #expect(desk.pty.isCooked)
    }

    @Test func historyIsRecalledAndSecretsAreNot() async throws {
      var configuration = LineEditor.Configuration(prompt: "> ")
      configuration.remembers = { !$0.hasPrefix("chat") }
      let desk = try Desk(configuration)
      defer { desk.close() }
      for line in ["one", "two", "chat bob secret", "three", "four"] {
        #expect(try await desk.line(typing: line + "\r") == line)
      }
      #expect(try await desk.line(typing: "\u{1B}[A\u{1B}[A\u{1B}[A\r") == "two")
      #expect(try await desk.line(typing: "\u{10}\u{10}\r") == "four")
    }

    @Test func completion() async throws {
      var configuration = LineEditor.Configuration(prompt: "> ")
      configuration.complete = { request in
        guard request.beforeCursor.contains(" ") else { return ["chat", "check", "list"] }
        return ["bob", "robert", "downloads/"]
      }
      let desk = try Desk(configuration)
      defer { desk.close() }
      let done = try await desk.line(typing: "cha\tb\thello\r")
      #expect(done == "chat bob hello")
      #expect(try await desk.line(typing: "send d\tx\r") == "send downloads/x")
      async let line = desk.editor.nextLine()
      #expect(await eventually { !desk.pty.isCooked })
      desk.pty.type("c\t\t")
      #expect(await eventually { desk.pty.screen.lines.suffix(2) == ["chat   check", "> ch"] })
      desk.pty.type("at\r")
      #expect(try await line == "chat")
    }

    @Test func resizeIsFollowed() async throws {
      let desk = try Desk(columns: 40)
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      desk.pty.resize(columns: 20, rows: 10)
      kill(getpid(), SIGWINCH)
      #expect(await eventually { desk.pty.output.components(separatedBy: "me> ").count > 2 })
      desk.pty.type("0123456789abcdefghijkl\r")
      #expect(try await line == "0123456789abcdefghijkl")
      #expect(await eventually { desk.pty.screen.lines.suffix(2) == ["me> 0123456789abcdef", "ghijkl"] })
    }

    @Test func cancellationAndCloseEndTheWait() async throws {
      let desk = try Desk()
      let task = Task { try await desk.editor.nextLine() }
      #expect(await eventually { !desk.pty.isCooked })
      desk.pty.type("half")
      #expect(await desk.shows(["me> half"]))
      task.cancel()
      #expect(try await task.value == nil)
      #expect(desk.pty.isCooked)
      #expect(try await desk.line(typing: "whole\r") == "whole")
      let last = Task { try await desk.editor.nextLine() }
      #expect(await eventually { !desk.pty.isCooked })
      desk.terminal.print("last words")
      desk.editor.close()
      #expect(try await last.value == nil)
      #expect(desk.pty.isCooked)
      #expect(await eventually { desk.pty.output.contains("last words") })
      #expect(try await desk.editor.nextLine() == nil)
      desk.pty.close()
    }

    /// More than a desk holds, for a terminal that takes nothing until later.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func whoPrintsWaitsForATerminalThatIsStopped(whileALineIsTyped: Bool) async throws {
      let desk = try Desk(isRead: false)
      let line = whileALineIsTyped ? Task { try await desk.editor.nextLine() } : nil
      if whileALineIsTyped { #expect(await eventually { !desk.pty.isCooked }) }
      let lines = (0..<100).map { "\($0) " + String(repeating: "x", count: 64_000) }
      let isPrinted = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        for line in lines { desk.terminal.print(drawing: line) }
        isPrinted.signal()
      }
      #expect(isPrinted.wait(timeout: .now() + .milliseconds(300)) == .timedOut)
      desk.pty.startReading()
      #expect(await onThread { isPrinted.wait(timeout: .now() + .seconds(50)) } == .success)
      desk.editor.close()
      #expect(try await line?.value == nil)
      desk.pty.close()
      let rows = String(desk.pty.output.unicodeScalars.filter { $0 != "\r" }).split(separator: "\n")
      // A row above the prompt begins where the prompt was cleared away.
      let shown = rows.compactMap { $0.split(separator: "\u{1B}[J").last }.filter { $0.hasSuffix("xxx") }
      let isAllThere = shown.map(String.init) == lines
      #expect(isAllThere, "\(shown.map { $0.prefix(3) })")
    }

    @Test func progressWaitsForTheLine() async throws {
      let desk = try Desk(columns: 60)
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await desk.shows(["me>"]))
      desk.pty.type("half")
      #expect(await desk.shows(["me> half"]))
      let progress = ProgressLine(ProgressBar(name: "f", total: 10, now: 0), on: desk.terminal)
      progress.advance(to: 5, now: 1)
      progress.finish(now: 2)
      #expect(await eventually { desk.pty.screen.lines.count == 2 })
      #expect(desk.pty.screen.lines[0].hasPrefix("f [#"))
      #expect(desk.pty.screen.lines[1] == "me> half")
      desk.pty.type("\r")
      #expect(try await line == "half")
    }

    @Test func overlongLineStopsGrowing() async throws {
      let desk = try Desk(columns: 200)
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await eventually { !desk.pty.isCooked })
      await onThread { for _ in 0..<17 { desk.pty.type(String(repeating: "x", count: 1024)) } }
      desk.pty.type("\r")
      #expect(try await line?.utf8.count == LineEditor.maximumLineBytes / 4)
    }

    @Test func oneLineAtATime() async throws {
      let desk = try Desk()
      defer { desk.close() }
      async let line = desk.editor.nextLine()
      #expect(await eventually { !desk.pty.isCooked })
      await #expect(throws: LineError.busy) { try await desk.editor.nextLine() }
      desk.pty.type("x\r")
      #expect(try await line == "x")
    }

    @Test func typedAheadIsKept() async throws {
      let desk = try Desk()
      defer { desk.close() }
      #expect(try await desk.line(typing: "one\rtwo\rthree\r") == "one")
      #expect(try await desk.editor.nextLine() == "two")
      #expect(try await desk.editor.nextLine() == "three")
    }
  }
}
