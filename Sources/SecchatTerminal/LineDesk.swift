import Glibc

/// Where the editor's thread and everybody else leave things for each other; a pipe wakes the thread.
final class LineDesk: Sendable {
  /// Bytes that may wait for a terminal that takes none (Ctrl-S): a few screens, for whoever hands over more waits, and
  /// can tell from it that nobody reads.
  static let maximumPending = 65_536

  typealias Answer = CheckedContinuation<Result<String?, LineError>, Never>

  private struct State {
    var texts: [String] = []
    var pendingBytes = 0
    var request: (prompt: String?, answer: Answer)?
    var isCancelled = false
    var isClosing = false
    /// Whether the editor's thread has gone and nothing is left here.
    var isEnded = false

    mutating func takeTexts() -> String {
      defer { (texts, pendingBytes) = ([], 0) }
      return texts.joined()
    }
  }

  private let state = Locked(State())
  let wakeDescriptor: Int32
  private let wakeWriter: Int32

  init() throws(LineError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .failed(errno: errno) }
    wakeDescriptor = ends[0]
    wakeWriter = ends[1]
    for end in ends { makeQuiet(end) }
  }

  deinit {
    Glibc.close(wakeDescriptor)
    Glibc.close(wakeWriter)
  }

  // MARK: Any thread

  /// Leaves a text to be shown, once what waits already is not too much. Not for the editor's thread, which would wait
  /// for itself, nor for a loop's, which must not wait.
  ///
  /// - Returns: whether it will be shown; false after the end.
  func post(_ text: String) -> Bool {
    let isTaken = state.withLock(once: { $0.isEnded || $0.pendingBytes < Self.maximumPending }) { state in
      guard !state.isEnded else { return false }
      state.texts.append(text)
      state.pendingBytes += text.utf8.count
      return true
    }
    if isTaken { wake() }
    return isTaken
  }

  func ask(prompt: String?, _ answer: Answer) {
    let refusal: Result<String?, LineError>? = state.withLock { state in
      if state.isClosing || Task.isCancelled { return .success(nil) }
      if state.request != nil { return .failure(.busy) }
      state.request = (prompt, answer)
      state.isCancelled = false
      return nil
    }
    if let refusal { answer.resume(returning: refusal) } else { wake() }
  }

  /// Whether somebody waits for a line.
  var isWaitedFor: Bool { state.withLock { $0.request != nil } }

  func cancel() {
    state.withLock { $0.isCancelled = true }
    wake()
  }

  func close() {
    state.withLock { $0.isClosing = true }
    wake()
  }

  private func wake() {
    var byte: UInt8 = 0
    // A full pipe wakes as well.
    _ = unsafe write(wakeWriter, &byte, 1)
  }

  // MARK: The editor's thread

  /// Empties the pipe; to be called before the state is looked at.
  func clearWake() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while unsafe read(wakeDescriptor, &bytes, bytes.count) > 0 {}
  }

  func takeTexts() -> String {
    let text = state.withLock { $0.takeTexts() }
    if !text.isEmpty { state.announce() }
    return text
  }

  /// What was handed over since the editor's thread went; nil once there is nothing more, and nothing is taken any more.
  func takeRest() -> String? {
    let rest = state.withLock { state in
      let text = state.takeTexts()
      state.isEnded = text.isEmpty
      return text
    }
    state.announce()
    return rest.isEmpty ? nil : rest
  }

  var isClosing: Bool { state.withLock { $0.isClosing } }

  /// Whether whoever asked for a line does not want it any more.
  var isWithdrawn: Bool { state.withLock { $0.isClosing || $0.isCancelled } }

  /// The prompt of a waiting request: nil when nobody waits.
  var waiting: (prompt: String?, Void)? { state.withLock { state in state.request.map { ($0.prompt, ()) } } }

  func answer(_ result: Result<String?, LineError>) {
    let answer = state.withLock { state in
      defer { state.request = nil }
      return state.request?.answer
    }
    answer?.resume(returning: result)
  }
}
