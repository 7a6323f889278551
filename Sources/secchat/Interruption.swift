import Glibc
import SecchatTerminal
import Synchronization

/// Where the handler tells of a signal: a handler may do little more than write a byte.
private let signalPipe = Atomic<Int32>(-1)

/// Ctrl-C and its kin during a command that does not handle them otherwise.
enum Interruption {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// The first signal that comes. A second one ends the process at once, whatever is still being tidied.
  static func first() -> AsyncStream<Int32> {
    AsyncStream { continuation in
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else { return continuation.finish() }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      signalPipe.store(ends[1], ordering: .sequentiallyConsistent)
      for signal in signals { install(signal) }
      let reader = ends[0]
      startThread {
        var isFirst = true
        while true {
          var byte: UInt8 = 0
          guard unsafe read(reader, &byte, 1) == 1 else { continue }
          guard isFirst else {
            Terminal.restoreMode()
            _exit(128 + Int32(byte))
          }
          isFirst = false
          continuation.yield(Int32(byte))
        }
      }
    }
  }

  private static func install(_ signal: Int32) {
    var action = sigaction()
    // What is ignored from the start (nohup) stays ignored.
    guard unsafe sigaction(signal, nil, &action) == 0,
      unsafe action.__sigaction_handler.sa_handler.map({ unsafe unsafeBitCast($0, to: Int.self) }) != 1
    else { return }
    unsafe action.__sigaction_handler.sa_handler = { number in
      let saved = errno
      var byte = UInt8(truncatingIfNeeded: number)
      _ = unsafe write(signalPipe.load(ordering: .sequentiallyConsistent), &byte, 1)
      errno = saved
    }
    unsafe sigemptyset(&action.sa_mask)
    action.sa_flags = SA_RESTART
    _ = unsafe sigaction(signal, &action, nil)
  }
}
