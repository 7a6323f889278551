import Glibc

/// Why a passphrase or an answer could not be had.
package enum InputError: Error, Equatable {
  /// There is no terminal to ask on.
  case noTerminal
  /// The two passphrases typed were different, three times.
  case mismatch
  /// More than `SecretInput.maximumBytes`.
  case tooLong
  /// Nothing was typed although something is needed.
  case empty
  /// The input ended before a line did.
  case endOfInput
  /// A signal (Ctrl-C, SIGTERM …) ended the question; the terminal is as it was.
  case interrupted
  /// A file or descriptor cannot be read.
  case unreadable(name: String, errno: Int32)
}

/// A passphrase on a page of its own that is never swapped or dumped, and is wiped when it goes.
@safe package struct SecretInput: ~Copyable, @unchecked Sendable {
  /// What a passphrase may be long at most.
  package static let maximumBytes = 1024

  private let page: UnsafeMutableRawPointer
  private static let pageBytes = 4096
  /// Bytes of the passphrase.
  package private(set) var count = 0

  init?() {
    guard
      let page = unsafe mmap(nil, Self.pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe page != MAP_FAILED
    else { return nil }
    unsafe self.page = unsafe page
    // Both are best effort: a limit on locked memory must not keep anybody from logging in.
    _ = unsafe mlock(page, Self.pageBytes)
    _ = unsafe madvise(page, Self.pageBytes, MADV_DONTDUMP)
  }

  deinit {
    unsafe explicit_bzero(page, Self.pageBytes)
    unsafe munmap(page, Self.pageBytes)
  }

  /// Lends the bytes for the duration of a call.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: page, count: count))
  }

  /// The bytes, borrowed.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(page), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  package var isEmpty: Bool { count == 0 }

  borrowing func equals(_ other: borrowing SecretInput) -> Bool {
    unsafe count == other.count && memcmp(page, other.page, count) == 0
  }

  /// Where the next byte goes: one more than allowed fits, so that too long can be told from just right.
  mutating func readByte(from descriptor: Int32) -> Int {
    let read = unsafe Glibc.read(descriptor, page + count, 1)
    if read == 1 { count += 1 }
    return read
  }

  var lastByte: UInt8? { count == 0 ? nil : unsafe page.load(fromByteOffset: count - 1, as: UInt8.self) }

  mutating func dropLast() {
    guard count > 0 else { return }
    count -= 1
    unsafe page.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
  }
}

extension SecretInput {
  /// The first line of a file, without its line end; `-` is standard input.
  package static func read(file path: String) throws(InputError) -> SecretInput {
    if path == "-" { return try read(descriptor: STDIN_FILENO) }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(name: path, errno: errno) }
    defer { close(descriptor) }
    return try read(descriptor: descriptor, name: path)
  }

  /// The first line of an open descriptor, without its line end. No byte beyond that line is taken.
  package static func read(descriptor: Int32, name: String? = nil) throws(InputError) -> SecretInput {
    let name = name ?? "file descriptor \(descriptor)"
    guard var secret = SecretInput() else { throw .unreadable(name: name, errno: ENOMEM) }
    while true {
      let result = secret.readByte(from: descriptor)
      if result < 0 {
        if errno == EINTR { continue }
        guard errno == EAGAIN else { throw .unreadable(name: name, errno: errno) }
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&wait, 1, -1)
        continue
      }
      if result == 0 {
        guard !secret.isEmpty else { throw .endOfInput }
        break
      }
      if secret.lastByte == 0x0A {
        secret.dropLast()
        break
      }
      guard secret.count <= maximumBytes + 1 else { throw .tooLong }
    }
    if secret.lastByte == 0x0D { secret.dropLast() }
    guard secret.count <= maximumBytes else { throw .tooLong }
    return secret
  }
}
