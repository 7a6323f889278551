internal import Glibc

/// Small files that nobody but their owner may open.
enum PrivateFile {
  /// The whole of a file of at most `limit` bytes; nil where there is none.
  ///
  /// - Throws: 1 for a file that others may open or that cannot be read; 8 for one that is too large.
  static func read(_ path: String, limit: Int) throws(NodeError) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw NodeError(.usage, "\(path) cannot be read: \(ProfileFolder.reason(errno))")
    }
    defer { close(descriptor) }
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0, info.st_mode & 0o077 == 0 else {
      throw NodeError(
        .usage, "\(path) is open to other users", hint: "close it with `chmod 600 \(path)`")
    }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var filled = 0
    while filled < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress.unsafelyUnwrapped + filled, buffer.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw NodeError(.usage, "\(path) cannot be read: \(ProfileFolder.reason(errno))")
      }
      if count == 0 { break }
      filled += count
    }
    guard filled <= limit else { throw NodeError(.integrity, "\(path) is damaged: it is too large") }
    return Array(bytes[..<filled])
  }

  /// Writes a new file, whole and durable, and never over one that exists.
  ///
  /// - Returns: false where there is one already.
  static func writeNew(_ path: String, _ bytes: [UInt8]) throws(NodeError) -> Bool {
    let folder = try lockFolder(of: path)
    defer { close(folder) }
    let draft = try draft(of: path, bytes)
    defer { _ = unsafe unlink(draft) }
    // link(2) refuses an existing name, where rename(2) would replace it.
    guard unsafe link(draft, path) == 0 else {
      if errno == EEXIST { return false }
      throw cannotWrite(path)
    }
    fsync(folder)
    return true
  }

  /// Writes a file in the place of the one that is there: whole and durable, or not at all.
  static func replace(_ path: String, _ bytes: [UInt8]) throws(NodeError) {
    let folder = try lockFolder(of: path)
    defer { close(folder) }
    let draft = try draft(of: path, bytes)
    defer { _ = unsafe unlink(draft) }
    guard unsafe rename(draft, path) == 0 else { throw cannotWrite(path) }
    fsync(folder)
  }

  /// The bytes in a file beside the path, durable. Its name is the caller's to take away.
  private static func draft(of path: String, _ bytes: [UInt8]) throws(NodeError) -> String {
    let draft = path + ".new"
    _ = unsafe unlink(draft)
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw cannotWrite(path) }
    var failure: Int32 = 0
    var written = 0
    while written < bytes.count, failure == 0 {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(descriptor, buffer.baseAddress.unsafelyUnwrapped + written, buffer.count - written)
      }
      if count > 0 { written += count } else if errno != EINTR { failure = errno }
    }
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    close(descriptor)
    guard failure == 0 else {
      _ = unsafe unlink(draft)
      throw cannotWrite(path, failure)
    }
    return draft
  }

  /// The folder of a file, for as long as the descriptor is open ours: two who write the same file at once would share
  /// its draft.
  private static func lockFolder(of path: String) throws(NodeError) -> Int32 {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let folder = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw cannotWrite(path) }
    while flock(folder, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let number = errno
        close(folder)
        throw cannotWrite(path, number)
      }
    }
    return folder
  }

  private static func cannotWrite(_ path: String, _ number: Int32 = errno) -> NodeError {
    NodeError(
      .usage, "\(path) cannot be written: \(ProfileFolder.reason(number))",
      hint: "check the folder's mode and the free space")
  }
}
