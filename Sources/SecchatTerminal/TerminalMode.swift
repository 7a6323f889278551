import Glibc

/// The mode to go back to, should the process end while a terminal is not in its own.
enum TerminalMode {
  private static let saved = Locked<(descriptor: Int32, mode: termios)?>(nil)
  /// Remembers the terminal's mode until `forget`.
  static func remember(_ descriptor: Int32) {
    var mode = termios()
    guard unsafe tcgetattr(descriptor, &mode) == 0 else { return }
    saved.withLock { $0 = (descriptor, mode) }
  }

  static func forget() { saved.withLock { $0 = nil } }

  /// Before the process ends.
  static func restore() {
    saved.withLock { entry in
      guard var entry else { return }
      _ = unsafe tcsetattr(entry.descriptor, TCSANOW, &entry.mode)
    }
  }
}
