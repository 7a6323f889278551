internal import Glibc

/// Standard output and error, written at once.
enum Output {
  static func print(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// One line for the user. It may hold what they typed, so nothing in it may steer a terminal.
  static func complain(_ text: String) {
    let safe = String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 : "?" }))
    write("secchat-registry: \(safe)\n", to: STDERR_FILENO)
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
    default: true
    }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
