internal import CSystem
internal import Glibc

/// An open file or folder, closed with its last holder.
final class Descriptor: Sendable {
  let number: Int32

  /// Takes over a descriptor that `open` returned.
  init(taking number: Int32) { self.number = number }

  deinit { _ = close(number) }

  /// What the system says about it.
  func status() throws(SystemError) -> stat {
    var status = stat()
    _ = try SystemError.check { unsafe fstat(number, &status) }
    return status
  }

  /// Takes the advisory lock that tells a transfer at work from one that a crash left behind.
  func tryLock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

  /// Waits until it is on disk. File systems that know no such thing are taken as they are.
  func sync() throws(SystemError) {
    do {
      _ = try SystemError.check { fsync(number) }
    } catch  where error.code == EINVAL || error.code == ENOTSUP {
      return
    }
  }

  /// Waits until everything on its file system is on disk.
  func syncFileSystem() throws(SystemError) {
    let answer = secchat_syncfs(number)
    guard answer == 0 || answer == -ENOSYS else { throw SystemError(-answer) }
  }

  /// Reads into `memory` until it is full or the file ends; how much came.
  func read(into memory: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    var count = 0
    while count < memory.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
      let read = try SystemError.check { unsafe Glibc.read(number, rest.baseAddress, rest.count) }
      if read == 0 { break }
      count += read
    }
    return count
  }

  /// At most `count` bytes; fewer only where the file ends.
  func read(_ count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let count = unsafe bytes.withUnsafeMutableBytes { memory in
      Result { () throws(SystemError) in unsafe try self.read(into: memory) }
    }
    bytes.removeSubrange(try count.get()...)
    return bytes
  }

  /// Writes all of the bytes.
  func write(_ bytes: [UInt8]) throws(SystemError) {
    try unsafe bytes.withUnsafeBytes { memory in
      Result { () throws(SystemError) in unsafe try self.write(memory) }
    }.get()
  }

  /// Writes all of `memory`.
  func write(_ memory: UnsafeRawBufferPointer) throws(SystemError) {
    var count = 0
    while count < memory.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[count...])
      let written = try SystemError.check { unsafe Glibc.write(number, rest.baseAddress, rest.count) }
      if written == 0 { throw SystemError(EIO) }
      count += written
    }
  }

  /// The names in the folder, as the system has them: bytes with a zero at the end, `.` and `..` left out.
  func names() throws(SystemError) -> [[UInt8]] {
    // The stream takes its descriptor over; a copy would share its position.
    let copy = try SystemError.check { unsafe openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard let stream = unsafe fdopendir(copy) else {
      let error = SystemError.last
      _ = close(copy)
      throw error
    }
    defer { unsafe _ = closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .last }
        return names
      }
      let name = unsafe Self.name(of: entry)
      if name != [0x2e, 0] && name != [0x2e, 0x2e, 0] { names.append(name) }
    }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
      unsafe name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { start in
        unsafe UnsafeRawBufferPointer(start: start, count: strlen(start) + 1).map { $0 }
      }
    }
  }
}
