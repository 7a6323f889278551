import Glibc
import Synchronization

/// A POSIX thread that runs a session to its end.
@safe final class EditorThread: @unchecked Sendable {
  private let thread: pthread_t
  private let isJoined = Atomic(false)

  init(_ session: EditorSession) throws(LineError) {
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(session)
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<EditorSession>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      unsafe argument.release()
      throw .failed(errno: result)
    }
    self.thread = thread
  }

  /// Waits for the session's end; more than once does nothing.
  func join() {
    guard !isJoined.exchange(true, ordering: .sequentiallyConsistent) else { return }
    _ = pthread_join(thread, nil)
  }
}

/// What the editor's thread does: wait for somebody to want a line, read it, hand it over.
final class EditorSession: @unchecked Sendable {
  let desk: LineDesk
  let configuration: LineEditor.Configuration
  let terminal: Terminal
  let input: Int32
  let isInteractive: Bool

  init(
    desk: LineDesk, configuration: LineEditor.Configuration, terminal: Terminal, input: Int32,
    isInteractive: Bool
  ) {
    self.desk = desk
    self.configuration = configuration
    self.terminal = terminal
    self.input = input
    self.isInteractive = isInteractive
  }

  func run() {
    let editor = isInteractive ? EditedLines(self) : nil
    let plain = PlainLines(input: input, desk: desk)
    while true {
      let text = desk.takeTexts()
      if !text.isEmpty { terminal.emit(bytes: Array(text.utf8)) }
      if let (prompt, _) = desk.waiting {
        if desk.isWithdrawn {
          desk.answer(.success(nil))
        } else if let editor {
          desk.answer(editor.read(prompt: prompt ?? configuration.prompt))
        } else {
          desk.answer(plain.read())
        }
        continue
      }
      if desk.isClosing { break }
      var wait = pollfd(fd: desk.wakeDescriptor, events: Int16(POLLIN), revents: 0)
      _ = unsafe poll(&wait, 1, -1)
      desk.clearWake()
    }
    desk.answer(.success(nil))
    editor?.close()
  }
}

func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
