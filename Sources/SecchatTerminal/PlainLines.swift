import Glibc

/// Lines of something that is not a terminal.
final class PlainLines {
  private let input: Int32
  private let desk: LineDesk
  private var buffer: [UInt8] = []
  /// Up to where the buffer has been searched for a line end.
  private var searched = 0
  private var isSkipping = false
  private var isAtEnd = false

  init(input: Int32, desk: LineDesk) {
    self.input = input
    self.desk = desk
  }

  func read() -> Result<String?, LineError> {
    while true {
      if let result = takeLine() { return result }
      if isAtEnd { return rest() }
      if desk.isWithdrawn { return .success(nil) }
      if let failure = fill() { return .failure(failure) }
    }
  }

  private func takeLine() -> Result<String?, LineError>? {
    if let end = buffer[searched...].firstIndex(of: 0x0A) {
      let line = buffer[..<end]
      defer {
        buffer.removeFirst(end + 1)
        searched = 0
        isSkipping = false
      }
      if isSkipping { return nil }
      return text(line)
    }
    searched = buffer.count
    guard buffer.count > LineEditor.maximumLineBytes + 1 else { return nil }
    // Told once; the remainder of the line is passed over.
    buffer.removeAll(keepingCapacity: true)
    searched = 0
    defer { isSkipping = true }
    return isSkipping ? nil : .failure(.tooLong)
  }

  /// A last line without a line end counts.
  private func rest() -> Result<String?, LineError> {
    defer {
      buffer = []
      searched = 0
    }
    guard !buffer.isEmpty, !isSkipping else { return .success(nil) }
    return text(buffer[...])
  }

  private func text(_ line: ArraySlice<UInt8>) -> Result<String?, LineError> {
    guard line.count <= LineEditor.maximumLineBytes else { return .failure(.tooLong) }
    let bytes = line.last == 0x0D ? line.dropLast() : line
    guard let text = String(validating: bytes, as: UTF8.self) else { return .failure(.notText) }
    return .success(text)
  }

  private func fill() -> LineError? {
    var wait = [
      pollfd(fd: input, events: Int16(POLLIN), revents: 0),
      pollfd(fd: desk.wakeDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard unsafe poll(&wait, 2, -1) > 0 else { return nil }
    if wait[1].revents != 0 { desk.clearWake() }
    guard wait[0].revents != 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = unsafe Glibc.read(input, &bytes, bytes.count)
    if count > 0 {
      buffer += bytes[..<count]
    } else if count == 0 {
      isAtEnd = true
    } else if errno != EINTR, errno != EAGAIN {
      return .failed(errno: errno)
    }
    return nil
  }
}
