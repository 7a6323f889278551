import Glibc

/// Asks a person on the terminal, whatever standard input and output are. Its calls block: not for a loop's
/// thread, and not while a line editor is reading.
package struct PassphrasePrompt: Sendable {
  private static let attempts = 3
  private let path: String

  package init(terminalPath: String = "/dev/tty") { path = terminalPath }

  /// Asks for a passphrase that exists.
  package func ask(_ prompt: SafeText) throws(InputError) -> SecretInput {
    let session = try Session(path, echo: false)
    return try session.secret(prompt)
  }

  /// Asks for a new passphrase, twice, until both are the same.
  package func create(
    _ prompt: SafeText, again: SafeText = "The same again: "
  ) throws(InputError) -> SecretInput {
    let session = try Session(path, echo: false)
    var last = InputError.mismatch
    for _ in 0..<Self.attempts {
      let first = try session.secret(prompt)
      guard !first.isEmpty else {
        session.say("It must not be empty.")
        last = .empty
        continue
      }
      let second = try session.secret(again)
      if first.equals(second) { return first }
      session.say("They are not the same.")
      last = .mismatch
    }
    throw last
  }

  /// Asks a question whose answer is yes or no, and asks again until it is one of them.
  ///
  /// - Parameter fingerprint: typed or pasted, it is a yes; another one is a no.
  package func confirm(_ question: SafeText, fingerprint: String? = nil) throws(InputError) -> Bool {
    let session = try Session(path, echo: true)
    var prompt = question + " "
    while true {
      let answer = try session.secret(prompt)
      let text = unsafe answer.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
      let word = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
      switch String(word) {
      case let given where fingerprint != nil && given == fingerprint: return true
      case let given where ["yes", "YES", "Yes"].contains(given): return true
      case let given where ["no", "NO", "No"].contains(given): return false
      default:
        prompt =
          fingerprint == nil
          ? "Please type 'yes' or 'no': " : "Please type 'yes', 'no' or the fingerprint: "
      }
    }
  }
}

/// An open terminal, its echo off while a secret is typed, back in its own mode when the session goes.
private struct Session: ~Copyable {
  private let descriptor: Int32
  private let former: termios
  private let echo: Bool

  init(_ path: String, echo: Bool) throws(InputError) {
    descriptor = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .noTerminal }
    var mode = termios()
    guard unsafe tcgetattr(descriptor, &mode) == 0 else {
      close(descriptor)
      throw .noTerminal
    }
    former = mode
    self.echo = echo
    TerminalMode.remember(descriptor)
  }

  deinit {
    restore()
    TerminalMode.forget()
    close(descriptor)
  }

  func say(_ text: SafeText) { writeAll(descriptor, Array((text.rendered(colour: false) + "\n").utf8)) }

  func secret(_ prompt: SafeText) throws(InputError) -> SecretInput {
    while true {
      guard let watch = SignalWatch(SignalWatch.ending + [SIGTSTP], onlyDefault: false),
        var secret = SecretInput()
      else { throw .noTerminal }
      // After the watch has begun: no signal may leave the terminal without its echo.
      hush()
      writeAll(descriptor, Array(prompt.rendered(colour: false).utf8))
      let signal = try fill(&secret, watch)
      if !echo || signal != nil { writeAll(descriptor, [0x0A]) }
      guard let signal else { return secret }
      // The former handler decides, with the terminal as it was; who only stopped is asked again.
      restore()
      watch.end()
      deliver(signal)
      guard signal == SIGTSTP else { throw .interrupted }
    }
  }

  /// Reads up to the end of the line, or to a signal, which is returned.
  private func fill(_ secret: inout SecretInput, _ watch: borrowing SignalWatch) throws(InputError) -> Int32?
  {
    var isTooLong = false
    while true {
      var wait = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      guard unsafe poll(&wait, 2, -1) > 0 else { continue }
      if let signal = watch.next() { return signal }
      guard wait[0].revents != 0 else { continue }
      let result = secret.readByte(from: descriptor)
      if result < 0, errno == EINTR || errno == EAGAIN { continue }
      guard result > 0 else { throw .endOfInput }
      if secret.lastByte == 0x0A {
        secret.dropLast()
        guard !isTooLong else { throw .tooLong }
        return nil
      }
      // The rest of the line is taken along, so that no shell reads it as a command.
      if secret.count > SecretInput.maximumBytes {
        isTooLong = true
        secret.dropLast()
      }
    }
  }

  private func hush() {
    guard !echo else { return }
    var mode = former
    mode.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK | ECHONL)
    _ = unsafe tcsetattr(descriptor, TCSADRAIN, &mode)
  }

  private func restore() {
    var mode = former
    _ = unsafe tcsetattr(descriptor, TCSADRAIN, &mode)
  }
}
