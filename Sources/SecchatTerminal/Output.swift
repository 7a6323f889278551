import Glibc

/// Writes all of it, whatever the descriptor: one that would block is waited for.
///
/// - Returns: false once nobody reads any more (or nothing can be written at all).
@discardableResult
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
  var written = 0
  while written < bytes.count {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
    }
    if count >= 0 {
      written += count
    } else if errno == EAGAIN {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = unsafe poll(&wait, 1, -1)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}

/// Ends the process because standard output takes nothing more: as a broken pipe ends any Unix program, at once and
/// without a word; for another reason with that reason.
func end(unwritable reason: Int32) -> Never {
  TerminalMode.restore()
  // A terminal that has hung up says EIO.
  guard [EPIPE, EIO].contains(reason) else {
    let text = unsafe strerror(reason).map { unsafe String(cString: $0) } ?? "error \(reason)"
    let line =
      "secchat: standard output cannot be written; \(text.prefix(1).lowercased() + text.dropFirst())\n"
    writeAll(STDERR_FILENO, Array(line.utf8))
    _exit(2)
  }
  signal(SIGPIPE, SIG_DFL)
  deliver(SIGPIPE)
  _exit(128 + SIGPIPE)
}
