import Glibc

/// Where the editor's thread and everybody else leave things for each other; a pipe wakes the thread.
final class LineDesk: Sendable {
  /// A terminal that does not take text any more (Ctrl-S) must not fill the memory.
  static let maximumPending = 4_000_000

  typealias Answer = CheckedContinuation<Result<String?, LineError>, Never>

  private struct State {
    var texts: [String] = []
    var pendingBytes = 0
    var dropped = 0
    var request: (prompt: String?, answer: Answer)?
    var isCancelled = false
    var isClosing = false
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

  func post(_ text: String) {
    state.with { state in
      guard state.pendingBytes + text.utf8.count <= Self.maximumPending else {
        state.dropped += 1
        return
      }
      state.texts.append(text)
      state.pendingBytes += text.utf8.count
    }
    wake()
  }

  func ask(prompt: String?, _ answer: Answer) {
    let refusal: Result<String?, LineError>? = state.with { state in
      if state.isClosing || Task.isCancelled { return .success(nil) }
      if state.request != nil { return .failure(.busy) }
      state.request = (prompt, answer)
      state.isCancelled = false
      return nil
    }
    if let refusal { answer.resume(returning: refusal) } else { wake() }
  }

  /// Whether somebody waits for a line.
  var isWaitedFor: Bool { state.with { $0.request != nil } }

  func cancel() {
    state.with { $0.isCancelled = true }
    wake()
  }

  func close() {
    state.with { $0.isClosing = true }
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
    state.with { state in
      var text = state.texts.joined()
      if state.dropped > 0 { text += "(\(state.dropped) lines were not shown: the terminal was stopped)\n" }
      state.texts = []
      state.pendingBytes = 0
      state.dropped = 0
      return text
    }
  }

  var isClosing: Bool { state.with { $0.isClosing } }

  /// Whether whoever asked for a line does not want it any more.
  var isWithdrawn: Bool { state.with { $0.isClosing || $0.isCancelled } }

  /// The prompt of a waiting request: nil when nobody waits.
  var waiting: (prompt: String?, Void)? { state.with { state in state.request.map { ($0.prompt, ()) } } }

  func answer(_ result: Result<String?, LineError>) {
    let answer = state.with { state in
      defer { state.request = nil }
      return state.request?.answer
    }
    answer?.resume(returning: result)
  }
}
