import Foundation
import Glibc
import SecchatTerminal
import TestSupport
import Testing

extension TerminalTests {
  @Suite struct OutputTests {
    @Test func colourNeedsATerminalThatWantsIt() {
      let pty = PseudoTerminal()
      defer { pty.close() }
      func colour(_ variables: [String: String]) -> Bool {
        Terminal(output: pty.slave, error: pty.slave, environment: { variables[$0] }).outputHasColour
      }
      #expect(colour(["TERM": "xterm"]))
      #expect(colour(["TERM": "xterm", "NO_COLOR": ""]))
      #expect(!colour(["TERM": "xterm", "NO_COLOR": "1"]))
      #expect(!colour(["TERM": "dumb"]))
      #expect(!colour([:]))
    }

    @Test func closedPipeIsToldOnceAndQuietly() {
      signal(SIGPIPE, SIG_IGN)
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      close(ends[0])
      defer { close(ends[1]) }
      let told = DispatchSemaphore(value: 0)
      let terminal = Terminal(
        output: ends[1], error: ends[1], onUnwritable: { if $0 == EPIPE { told.signal() } })
      terminal.print("nobody reads this")
      #expect(told.wait(timeout: .now()) == .success)
    }

    @Test(.timeLimit(.minutes(1))) func aReaderThatGoesIsNoticed() async {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      let terminal = Terminal(output: ends[1], error: ends[1], onUnwritable: { _ in })
      let gone = DispatchSemaphore(value: 0)
      Thread.detachNewThread { if terminal.waitForReaderToGo() { gone.signal() } }
      #expect(gone.wait(timeout: .now() + .milliseconds(50)) == .timedOut)
      close(ends[0])
      #expect(gone.wait(timeout: .now() + .seconds(10)) == .success)
      close(ends[1])
    }

    @Test func aPeersTextStaysOutOfTheFirstColumn() async {
      let pty = PseudoTerminal(columns: 40)
      defer { pty.close() }
      let terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "dumb" })
      #expect(terminal.columns == 40)
      let forged = String(repeating: " ", count: 29) + "12:00 carol  yes\n12:00 carol  no"
      let text: SafeText = "12:00 bob  \(body: forged, indent: 11)"
      terminal.print(text.wrapped(toColumns: terminal.columns, indent: 11))
      terminal.print("12:01 bob  end")
      #expect(await eventually { pty.screen.lines.last == "12:01 bob  end" })
      #expect(
        pty.screen.lines == [
          "12:00 bob", "           12:00 carol  yes", "           12:00 carol  no", "12:01 bob  end",
        ])
    }

    @Test func fullPipeIsWaitedFor() async {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
      let (input, output) = (ends[0], ends[1])
      let size = 300_000
      Thread.detachNewThread {
        Terminal(output: output, error: output).emit(bytes: [UInt8](repeating: 7, count: size))
        close(output)
      }
      let count = await onThread {
        var total = 0
        var chunk = [UInt8](repeating: 0, count: 10_000)
        while true {
          let count = unsafe read(input, &chunk, chunk.count)
          guard count > 0 else { return total }
          total += count
        }
      }
      #expect(count == size)
      close(input)
    }

    @Test func progressStaysOnTheTerminal() async {
      let pty = PseudoTerminal(columns: 60)
      defer { pty.close() }
      let terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "xterm" })
      let line = ProgressLine(ProgressBar(name: "f", total: 10, now: 0), on: terminal)
      line.advance(to: 5, now: 1)
      line.finish(now: 2)
      terminal.print("next")
      #expect(await eventually { pty.screen.lines.count == 2 && pty.screen.lines.last == "next" })
      #expect(pty.screen.lines.first?.hasPrefix("f [") == true)
    }
  }
}
