import Glibc
import Synchronization

/// Where the handler tells of a signal; a handler may do little more than write a byte.
private let handlerPipe = Atomic<Int32>(-1)

/// Turns signals into bytes on a descriptor while it lasts, and puts the former handlers back.
struct SignalWatch: ~Copyable {
  /// Signals by which somebody ends or stops a program at its terminal.
  static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  let descriptor: Int32
  private let writer: Int32
  private let outer: Int32
  private var former: [(signal: Int32, action: sigaction)] = []

  /// - Parameter onlyDefault: leave alone what the program handles itself.
  init?(_ signals: [Int32], onlyDefault: Bool) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    descriptor = ends[0]
    writer = ends[1]
    for end in ends { makeQuiet(end) }
    outer = handlerPipe.exchange(ends[1], ordering: .sequentiallyConsistent)
    for signal in signals {
      var current = sigaction()
      guard unsafe sigaction(signal, nil, &current) == 0 else { continue }
      if onlyDefault, unsafe current.__sigaction_handler.sa_handler != nil { continue }
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(handlerPipe.load(ordering: .sequentiallyConsistent), &byte, 1)
        errno = saved
      }
      unsafe sigemptyset(&action.sa_mask)
      action.sa_flags = SA_RESTART
      if unsafe sigaction(signal, &action, nil) == 0 { former.append((signal, current)) }
    }
  }

  deinit {
    for var entry in former { _ = unsafe sigaction(entry.signal, &entry.action, nil) }
    handlerPipe.store(outer, ordering: .sequentiallyConsistent)
    close(descriptor)
    close(writer)
  }

  /// Puts the former handlers back now.
  consuming func end() {}

  /// The next signal that came, if any did.
  func next() -> Int32? {
    var byte: UInt8 = 0
    return unsafe read(descriptor, &byte, 1) == 1 ? Int32(byte) : nil
  }
}

/// Closed on exec, never blocking.
func makeQuiet(_ descriptor: Int32) {
  _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
}

/// Lets a signal do now what it does to this process; threads of a pool block most signals.
func deliver(_ signal: Int32) {
  var set = sigset_t()
  var former = sigset_t()
  unsafe sigemptyset(&set)
  unsafe sigaddset(&set, signal)
  unsafe pthread_sigmask(SIG_UNBLOCK, &set, &former)
  raise(signal)
  unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
}
