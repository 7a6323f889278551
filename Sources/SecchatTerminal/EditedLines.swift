import CEdit
import Glibc

/// One libedit editor; everything here happens on the editor's thread.
@safe final class EditedLines {
  private let session: EditorSession
  private let edit: OpaquePointer
  private let history: OpaquePointer?
  private let streams: [UnsafeMutablePointer<FILE>]
  private let locale: locale_t?
  private var keys: KeyReader
  /// Lent to libedit, which asks for it at every redraw.
  private let prompt = PromptText()
  private var signal: Int32?

  init?(_ session: EditorSession) {
    self.session = session
    // libedit takes its encoding from the thread's locale; the program's own locale is not our business.
    unsafe locale = unsafe newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
    if let locale = unsafe locale { _ = unsafe uselocale(locale) }
    let output = session.terminal.outputDescriptor
    var opened = unsafe [UnsafeMutablePointer<FILE>]()
    for (descriptor, mode) in [(session.input, "r"), (output, "w"), (output, "w")] {
      if let stream = unsafe fdopen(dup(descriptor), mode) { unsafe opened.append(stream) }
    }
    unsafe streams = unsafe opened
    guard unsafe opened.count == 3,
      let edit = unsafe el_init_fd(
        "secchat", opened[0], opened[1], opened[2], session.input, output, output)
    else {
      unsafe opened.forEach { stream in _ = unsafe fclose(stream) }
      return nil
    }
    unsafe self.edit = unsafe edit
    unsafe history = unsafe history_winit()
    keys = KeyReader(input: session.input)
    configure()
    attachHistory()
  }

  func close() {
    unsafe el_end(edit)
    if let history = unsafe history { unsafe history_wend(history) }
    unsafe streams.forEach { stream in _ = unsafe fclose(stream) }
    if let locale = unsafe locale {
      _ = unsafe uselocale(locale_t(bitPattern: -1))
      unsafe freelocale(locale)
    }
  }

  // MARK: Reading

  func read(prompt text: String) -> Result<String?, LineError> {
    prompt.set(SafeText(line: text).plain)
    signal = nil
    keys.restart()
    guard let watch = SignalWatch(SignalWatch.ending + [SIGWINCH], onlyDefault: true) else {
      return .failure(.failed(errno: errno))
    }
    keys.signals = watch.descriptor
    TerminalMode.remember(session.input)
    unsafe secchat_edit_client_data(edit, Unmanaged.passUnretained(self).toOpaque())
    // The window may have changed while nobody was editing.
    unsafe el_resize(edit)
    // libedit would show its prompt first; what is typed at once would be echoed, and then shown again.
    unsafe secchat_edit_flag(edit, EL_PREP_TERM, 1)
    var count: Int32 = 0
    let line = unsafe el_wgets(edit, &count)
    let typed = unsafe line.map { unsafe string($0, Int(count)) }
    if typed == nil { leaveLine() }
    TerminalMode.forget()
    watch.end()
    if let signal {
      // The former handler decides, with the terminal as it was.
      unsafe secchat_edit_flag(edit, EL_PREP_TERM, 0)
      deliver(signal)
      return .success(nil)
    }
    guard var typed else { return keys.failure.map { .failure($0) } ?? .success(nil) }
    if typed.hasSuffix("\n") { typed.removeLast() }
    remember(typed)
    return .success(typed)
  }

  /// Called by libedit for every character; in between, texts of other threads are shown.
  fileprivate func nextKey() -> Unicode.Scalar? {
    while true {
      if session.desk.isWithdrawn { return nil }
      let texts = session.desk.takeTexts()
      if !texts.isEmpty { showAbove(texts) }
      switch keys.next(wake: session.desk.wakeDescriptor) {
      case .key(let scalar):
        if lineLength < LineEditor.maximumLineBytes / 4 || scalar.properties.generalCategory == .control {
          return scalar
        }
        unsafe el_beep(edit)
      case .woken: session.desk.clearWake()
      case .end: return nil
      case .signal(SIGWINCH): resize()
      case .signal(let number):
        signal = number
        return nil
      }
    }
  }

  private func string(_ start: UnsafePointer<wchar_t>, _ count: Int) -> String {
    var text = String.UnicodeScalarView()
    for index in 0..<count { text.append(unsafe scalar(start[index])) }
    return String(text)
  }

  // MARK: The screen

  private func write(_ text: String) { session.terminal.emit(bytes: Array(text.utf8)) }

  /// To the first column of the first row of the prompt, and everything from there on cleared.
  private func clearing() -> String {
    let size = size(of: session.terminal.outputDescriptor) ?? (80, 24)
    let rows = min(rowsAbove(columns: size.columns), size.rows - 1)
    return "\r" + (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\u{1B}[J"
  }

  private func showAbove(_ text: String) {
    // The terminal does not turn line feeds into new lines in the editor's mode.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    write(clearing() + lines)
    unsafe secchat_edit_refresh(edit)
  }

  private func resize() {
    let clear = clearing()
    unsafe el_resize(edit)
    write(clear)
    unsafe secchat_edit_refresh(edit)
  }

  /// What was typed and not finished stays on the screen; what follows begins below it.
  private func leaveLine() {
    write("\r\n")
  }

  /// Rows between the prompt and the cursor, as libedit lays them out.
  private func rowsAbove(columns: Int) -> Int {
    var layout = RowLayout(columns: columns)
    for scalar in prompt.scalars { layout.add(scalar) }
    if let line = unsafe el_wline(edit) {
      let count = unsafe line.pointee.cursor - line.pointee.buffer
      for index in 0..<count { layout.add(unsafe scalar(line.pointee.buffer[index])) }
    }
    return layout.row
  }

  private var lineLength: Int {
    guard let line = unsafe el_wline(edit) else { return 0 }
    return unsafe line.pointee.lastchar - line.pointee.buffer
  }

  // MARK: Keys with a meaning of their own

  fileprivate func clearLine() {
    write(clearing())
    if let line = unsafe el_wline(edit) {
      let after = unsafe line.pointee.lastchar - line.pointee.cursor
      unsafe el_cursor(edit, Int32(after))
      unsafe el_deletestr(edit, Int32(lineLength))
    }
    unsafe secchat_edit_refresh(edit)
  }

  fileprivate func suspend() {
    write("\r\n")
    unsafe secchat_edit_flag(edit, EL_PREP_TERM, 0)
    deliver(SIGTSTP)
    unsafe secchat_edit_flag(edit, EL_PREP_TERM, 1)
    unsafe secchat_edit_refresh(edit)
  }

  fileprivate func completeWord() -> Bool {
    guard let complete = session.configuration.complete, let line = unsafe el_wline(edit) else {
      return false
    }
    let before = unsafe string(line.pointee.buffer, line.pointee.cursor - line.pointee.buffer)
    let whole = unsafe string(line.pointee.buffer, line.pointee.lastchar - line.pointee.buffer)
    let request = CompletionRequest(line: whole, beforeCursor: before)
    let candidates = complete(request).filter { $0.hasPrefix(request.word) }
    guard let first = candidates.first else { return false }
    var common = candidates.dropFirst().reduce(first) { commonPrefix($0, $1) }
    if candidates.count == 1, !first.hasSuffix("/") { common += " " }
    let addition = common.dropFirst(request.word.count)
    if !addition.isEmpty {
      unsafe el_winsertstr(edit, wide(SafeText(line: String(addition)).plain))
      return true
    }
    let names = candidates.map { SafeText(name: $0).plain }
    showAbove(tabulate(names, columns: session.terminal.columns))
    return true
  }

  // MARK: Set-up

  private func configure() {
    _ = unsafe secchat_edit_client_data(edit, Unmanaged.passUnretained(self).toOpaque())
    _ = unsafe secchat_edit_editor(edit, wide("emacs"))
    _ = unsafe secchat_edit_flag(edit, EL_SIGNAL, 0)
    // Ctrl-C and Ctrl-Z are keys here, not signals.
    _ = unsafe secchat_edit_tty(edit, wide("-d"), wide("-isig"))
    _ = unsafe secchat_edit_prompt(edit) { edit in unsafe editor(edit)?.prompt.pointer }
    _ = unsafe secchat_edit_reader(edit) { edit, key in
      guard let editor = unsafe editor(edit), let key = unsafe key, let scalar = editor.nextKey() else {
        return 0
      }
      unsafe key.pointee = wchar_t(bitPattern: scalar.value)
      return 1
    }
    _ = unsafe secchat_edit_keys(
      edit,
      { edit, _ in
        unsafe editor(edit)?.clearLine()
        return UInt8(CC_REFRESH)
      },
      { edit, _ in
        unsafe editor(edit)?.suspend()
        return UInt8(CC_REFRESH)
      },
      { edit, _ in
        let isDone = unsafe editor(edit)?.completeWord() ?? false
        return UInt8(isDone ? CC_REFRESH : CC_REFRESH_BEEP)
      })
    _ = unsafe secchat_edit_bind(edit, wide("^R"), wide("em-inc-search-prev"))
    _ = unsafe secchat_edit_bind(edit, wide("^W"), wide("ed-delete-prev-word"))
    // What terminals send for Delete, Home and End.
    for (key, function) in [
      ("\\e[3~", "ed-delete-next-char"), ("\\e[H", "ed-move-to-beg"), ("\\e[F", "ed-move-to-end"),
      ("\\e[1~", "ed-move-to-beg"), ("\\e[4~", "ed-move-to-end"), ("\\e[1;5D", "ed-prev-word"),
      ("\\e[1;5C", "em-next-word"),
    ] {
      _ = unsafe secchat_edit_bind(edit, wide(key), wide(function))
    }
  }

  private func attachHistory() {
    guard let history = unsafe history else { return }
    _ = unsafe secchat_history_size(history, Int32(LineEditor.maximumHistory))
    _ = unsafe secchat_edit_history(edit, history)
  }

  private func remember(_ line: String) {
    guard !line.allSatisfy(\.isWhitespace), session.configuration.remembers(line) else { return }
    if let history = unsafe history { _ = unsafe secchat_history_enter(history, wide(line)) }
  }
}

private func editor(_ edit: OpaquePointer?) -> EditedLines? {
  guard let edit = unsafe edit, let data = unsafe secchat_edit_get_client_data(edit) else { return nil }
  return unsafe Unmanaged<EditedLines>.fromOpaque(data).takeUnretainedValue()
}

/// A C wide string.
func wide(_ text: String) -> [wchar_t] {
  text.unicodeScalars.lazy.filter { $0 != "\0" }.map { wchar_t(bitPattern: $0.value) } + [0]
}

private func scalar(_ character: wchar_t) -> Unicode.Scalar {
  Unicode.Scalar(UInt32(bitPattern: character)) ?? "\u{FFFD}"
}
