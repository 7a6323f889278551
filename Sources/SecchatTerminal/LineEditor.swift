/// Why a line could not be read.
package enum LineError: Error, Equatable {
  /// A line is longer than `LineEditor.maximumLineBytes`; what follows it can still be read.
  case tooLong
  /// A line is not valid UTF-8; what follows it can still be read.
  case notText
  /// Another call is waiting for a line.
  case busy
  /// The input cannot be read, or the editor was not able to start.
  case failed(errno: Int32)
}

/// What the user has typed so far, when the tab key asks for more.
package struct CompletionRequest: Sendable, Equatable {
  package let line: String
  /// The line up to the cursor.
  package let beforeCursor: String
  /// The last word of that, up to the cursor; what candidates replace.
  package let word: String

  init(line: String, beforeCursor: String) {
    self.line = line
    self.beforeCursor = beforeCursor
    word = beforeCursor.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init) ?? ""
  }
}

/// Reads lines on a thread of its own: edited on a terminal, plain otherwise.
///
/// The terminal is in the editor's mode only while `nextLine` waits; between lines it may be used for prompts.
package final class LineEditor: Sendable {
  package static let maximumLineBytes = 65_536
  /// Lines that can be recalled, until the editor is closed.
  static let maximumHistory = 1_000

  package struct Configuration: Sendable {
    package var prompt: String
    /// Whether a line may be recalled later. Called on the editor's thread.
    package var remembers: @Sendable (String) -> Bool
    /// Whole words that may stand for the word at the cursor. Called on the editor's thread.
    package var complete: (@Sendable (CompletionRequest) -> [String])?

    package init(
      prompt: String = "> ",
      remembers: @escaping @Sendable (String) -> Bool = { !$0.hasPrefix(" ") },
      complete: (@Sendable (CompletionRequest) -> [String])? = nil
    ) {
      self.prompt = prompt
      self.remembers = remembers
      self.complete = complete
    }
  }

  private let desk: LineDesk
  private let thread: EditorThread
  private let terminal: Terminal
  /// Whether lines are edited on a terminal, with a prompt.
  package let isInteractive: Bool

  /// - Parameter input: the descriptor to read; edited when it and the terminal's output are terminals.
  package init(
    _ configuration: Configuration = Configuration(), terminal: Terminal = .standard, input: Int32 = 0
  ) throws(LineError) {
    isInteractive = terminal.outputIsTerminal && !terminal.isDumb && isTerminal(input)
    self.terminal = terminal
    let desk = try LineDesk()
    self.desk = desk
    let session = EditorSession(
      desk: desk, configuration: configuration, terminal: terminal, input: input,
      isInteractive: isInteractive)
    thread = try EditorThread(session)
    if isInteractive { terminal.setEditor(desk) }
  }

  deinit { close() }

  /// The next line without its line end; nil at the end of the input, on Ctrl-D on an empty line, when the
  /// task is cancelled, when the editor is closed, and when a signal asks the process to end.
  package func nextLine(prompt: String? = nil) async throws(LineError) -> String? {
    let desk = desk
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in desk.ask(prompt: prompt, continuation) }
    } onCancel: {
      desk.cancel()
    }
    return try result.get()
  }

  /// Ends `nextLine`, shows what is still to be shown, gives the terminal back and ends the thread.
  package func close() {
    desk.close()
    thread.join()
    while let rest = desk.takeRest() { terminal.emit(bytes: Array(rest.utf8)) }
    terminal.setEditor(nil)
  }
}
