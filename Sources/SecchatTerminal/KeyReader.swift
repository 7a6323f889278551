import Glibc

/// Turns what a terminal sends into characters, and waits for them, for a wake pipe and for signals at once.
struct KeyReader {
  enum Event: Equatable {
    case key(Unicode.Scalar)
    case woken
    case signal(Int32)
    case end
  }

  let input: Int32
  var signals: Int32 = -1
  private(set) var failure: LineError?
  private var bytes: [UInt8] = []
  private var next = 0

  init(input: Int32) { self.input = input }

  mutating func restart() { failure = nil }

  mutating func next(wake: Int32) -> Event {
    while true {
      if let scalar = decode() { return .key(scalar) }
      var wait = [
        pollfd(fd: input, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
      ]
      guard unsafe poll(&wait, 3, -1) > 0 else { continue }
      if wait[2].revents != 0 {
        var number: UInt8 = 0
        if unsafe read(signals, &number, 1) == 1 { return .signal(Int32(number)) }
      }
      if wait[1].revents != 0 { return .woken }
      guard wait[0].revents != 0 else { continue }
      var chunk = [UInt8](repeating: 0, count: 1024)
      let count = unsafe read(input, &chunk, chunk.count)
      if count > 0 {
        bytes = Array(bytes[next...]) + chunk[..<count]
        next = 0
      } else if count == 0 {
        return .end
      } else if errno != EINTR, errno != EAGAIN {
        // A terminal that hung up says EIO: an end like any other.
        if errno != EIO { failure = .failed(errno: errno) }
        return .end
      }
    }
  }

  /// The next whole character; what is no UTF-8 becomes U+FFFD, what is incomplete waits.
  private mutating func decode() -> Unicode.Scalar? {
    guard next < bytes.count else { return nil }
    let length =
      switch bytes[next] {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 1
      }
    let available = bytes[next...].prefix(length)
    let isBroken = available.dropFirst().contains { $0 & 0xC0 != 0x80 }
    guard available.count == length || isBroken else { return nil }
    var iterator = available.makeIterator()
    var decoder = UTF8()
    guard !isBroken, case .scalarValue(let scalar) = decoder.decode(&iterator) else {
      next += 1
      return "\u{FFFD}"
    }
    next += length
    return scalar
  }
}
