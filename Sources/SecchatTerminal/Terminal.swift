import CEdit
import Glibc

/// Standard output and standard error, and what they can show. Every method may be called on any thread that may wait:
/// a terminal that is stopped takes nothing.
package final class Terminal: Sendable {
  package static let standard = Terminal()

  package let outputDescriptor: Int32
  package let errorDescriptor: Int32
  /// Whether output, and whether errors, go to a terminal.
  package let outputIsTerminal: Bool
  package let errorIsTerminal: Bool
  package let outputHasColour: Bool
  package let errorHasColour: Bool
  /// A terminal that cannot move its cursor has no progress bars and no line editing.
  package let isDumb: Bool
  private let unwritable: @Sendable (Int32) -> Void
  /// While a line editor owns the screen, text for it goes through its desk.
  private let editor = Locked<LineDesk?>(nil)
  private let turns = Locked<Void>(())

  /// - Parameter onUnwritable: called with the error number when standard output takes nothing more; by default the
  ///   process ends: quietly, as SIGPIPE would end it, where nobody reads any more.
  package init(
    output: Int32 = STDOUT_FILENO, error: Int32 = STDERR_FILENO,
    environment: @Sendable (String) -> String? = environmentVariable,
    onUnwritable: @escaping @Sendable (Int32) -> Void = { end(unwritable: $0) }
  ) {
    outputDescriptor = output
    errorDescriptor = error
    outputIsTerminal = isatty(output) == 1
    errorIsTerminal = isatty(error) == 1
    let term = environment("TERM") ?? ""
    isDumb = term.isEmpty || term == "dumb"
    let colour = !isDumb && (environment("NO_COLOR") ?? "").isEmpty
    outputHasColour = colour && outputIsTerminal
    errorHasColour = colour && errorIsTerminal
    unwritable = onUnwritable
  }

  /// A line on standard output; above the line being typed while there is one.
  package func print(_ text: SafeText = "") {
    put(text.rendered(colour: outputHasColour) + "\n")
  }

  /// A line on standard error; above the line being typed while there is one.
  package func note(_ text: SafeText) {
    let line = text.rendered(colour: errorHasColour) + "\n"
    if errorIsTerminal, let desk = editor.withLock({ $0 }), desk.post(line) { return }
    turns.withLock { _ in _ = writeAll(errorDescriptor, Array(line.utf8)) }
  }

  /// One line for a program to read (JSON), exactly as given, and a line end.
  package func emit(_ line: String) { put(line + "\n") }

  /// Bytes for a program to read, exactly as given.
  package func emit(bytes: [UInt8]) {
    let failure = turns.withLock { _ in writeAll(outputDescriptor, bytes) ? nil : errno }
    if let failure { unwritable(failure) }
  }

  /// Waits until nobody reads standard output any more; returns at once where that cannot be known beforehand.
  ///
  /// - Returns: whether the reader has gone.
  package func waitForReaderToGo() -> Bool {
    var status = stat()
    guard unsafe fstat(outputDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
      return false
    }
    while true {
      // An error of the pipe is told although nothing is asked for.
      var wait = pollfd(fd: outputDescriptor, events: 0, revents: 0)
      if unsafe poll(&wait, 1, -1) > 0 { return wait.revents & Int16(POLLERR | POLLNVAL) != 0 }
    }
  }

  /// Ends the process as a write to a pipe that nobody reads does.
  package func endWithoutReader() { unwritable(EPIPE) }

  /// Gives terminals their own mode back, whatever was being typed: before the process ends.
  package static func restoreMode() { TerminalMode.restore() }

  /// Text of our own making that may hold escape sequences, such as a QR code, and a line end.
  package func print(drawing: String) { put(drawing + "\n") }

  /// Columns of the terminal; 80 where there is none.
  package var columns: Int { size(of: outputDescriptor)?.columns ?? size(of: errorDescriptor)?.columns ?? 80 }

  /// Whether somebody is typing a line, so that nothing may be drawn in its place.
  package var isLineBeingTyped: Bool { editor.withLock { $0 }?.isWaitedFor ?? false }

  /// Columns of the terminal that errors go to.
  var errorColumns: Int { size(of: errorDescriptor)?.columns ?? 80 }

  /// Puts a line of ours in place of the one on standard error, and may leave it standing.
  func redrawErrorLine(_ text: String, stays: Bool) {
    let bytes = Array(("\r" + text + "\u{1B}[K" + (stays ? "\n" : "")).utf8)
    turns.withLock { _ in _ = writeAll(errorDescriptor, bytes) }
  }

  func setEditor(_ desk: LineDesk?) { editor.withLock { $0 = desk } }

  private func put(_ text: String) {
    if outputIsTerminal, let desk = editor.withLock({ $0 }), desk.post(text) { return }
    emit(bytes: Array(text.utf8))
  }
}

/// Width and height of the terminal on a descriptor.
func size(of descriptor: Int32) -> (columns: Int, rows: Int)? {
  var columns: UInt16 = 0
  var rows: UInt16 = 0
  guard unsafe secchat_window_size(descriptor, &columns, &rows) == 1, columns > 0 else { return nil }
  return (Int(columns), max(1, Int(rows)))
}

/// A variable of the process's environment.
@Sendable package func environmentVariable(_ name: String) -> String? {
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
