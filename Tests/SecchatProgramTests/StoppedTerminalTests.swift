import Foundation
import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal
import Synchronization
import Testing

@testable import secchat

/// A terminal that takes nothing, with a line editor on it: a message that cannot be shown must not be taken. In processes
/// of their own: two editors at once would share what the terminal library keeps in global variables.
@Suite struct StoppedTerminalTests {
  @Test(.timeLimit(.minutes(2))) func nothingIsTakenThatIsNotShown() async {
    await #expect(processExitsWith: .success) {
      let pty = UnreadTerminal()
      let terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "xterm" })
      unsafe setenv("TERM", "xterm", 1)
      let editor = try LineEditor(terminal: terminal, input: pty.slave)
      #expect(editor.isInteractive)
      let output = Output(terminal, json: false, inShell: true, staysOn: true)
      let line = SafeText(line: String(repeating: "x", count: Chat.maximumText))
      var taken = 0
      while output.isReady, taken < 4_000 {
        output.say(line)
        taken += 1
      }
      #expect(taken < 4_000, "nobody reads, and yet it was ready")
      // More than may still be on its way from the queue to the editor.
      for _ in 0..<10 { output.say(line) }
      taken += 10
      #expect(!output.isReady)
      pty.startReading()
      await output.drain()
      #expect(output.isReady)
      editor.close()
      #expect(pty.close().count { $0 == UInt8(ascii: "x") } == taken * Chat.maximumText)
    }
  }

  /// How wide a terminal is has to be asked: a program, or a file, has no rows.
  @Test func linesAreBrokenOnATerminalOnly() throws {
    let pty = UnreadTerminal()
    pty.startReading()
    let text = String(repeating: "x", count: 200)
    let event = Event.message(
      .init(id: randomID(), from: "bob", to: "alice", text: text, time: 0, verified: false))
    let terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "xterm" })
    let shown = try #require(Output(terminal, json: false).text(event)).plain
    #expect(shown.split(separator: "\n").allSatisfy { $0.count <= terminal.columns })
    let null = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { Glibc.close(null) }
    let file = Output(Terminal(output: null, error: pty.slave), json: false)
    #expect(try #require(file.text(event)).plain.contains(text))
    _ = pty.close()
  }

  /// Where no shell is around it, a conversation is beside its node too.
  @Test func aConversationDoesNotHoldUpItsNode() async {
    await #expect(processExitsWith: .success) {
      let pty = UnreadTerminal()
      let terminal = Terminal(output: pty.slave, error: pty.slave, environment: { _ in "xterm" })
      let editor = try LineEditor(terminal: terminal, input: pty.slave)
      let parsed = try Program.spec.parse(["chat", "bob"])
      guard case .run(let arguments) = parsed else { return }
      let session = try Session(
        home: "/nowhere", output: Output(terminal, json: false),
        passphrase: PassphraseInput(arguments, home: "/nowhere"))
      let output = Conversation(Chat(user: "bob"), session, editor).output
      try #require(output !== session.output)
      let line = SafeText(line: String(repeating: "x", count: Chat.maximumText))
      // More than the terminal and the editor hold.
      for _ in 0..<20 { output.say(line) }
      pty.startReading()
      #expect(output.drainBriefly())
      editor.close()
      _ = pty.close()
    }
  }
}

/// A terminal that nobody reads from, until later.
private final class UnreadTerminal: Sendable {
  let slave: Int32
  private let master: Int32
  private let bytes = Mutex<[UInt8]>([])
  private let isFinished = DispatchSemaphore(value: 0)

  init() {
    master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // TIOCGPTN and TIOCSPTLCK: what unlockpt and ptsname do, which the Glibc module leaves out.
    var number: Int32 = 0
    var unlocked: Int32 = 0
    _ = unsafe ioctl(master, 0x8004_5430, &number)
    _ = unsafe ioctl(master, 0x4004_5431, &unlocked)
    slave = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
  }

  func startReading() {
    Thread.detachNewThread { [self] in
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = unsafe read(master, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        bytes.withLock { $0 += chunk[..<count] }
      }
      isFinished.signal()
    }
  }

  /// - Returns: all that was written.
  func close() -> [UInt8] {
    Glibc.close(slave)
    isFinished.wait()
    Glibc.close(master)
    return bytes.withLock { $0 }
  }
}
