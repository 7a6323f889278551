import Glibc

/// The file in which lines are kept from one session to the next.
struct LineHistory {
  private static let maximumFileBytes = 4_000_000

  let path: String
  let limit: Int
  private(set) var lines: [String] = []

  init(path: String, limit: Int) {
    self.path = path
    self.limit = max(1, limit)
    lines = Self.load(path).suffix(self.limit)
  }

  mutating func append(_ line: String) {
    guard lines.last != line else { return }
    lines.append(line)
    if lines.count > limit { lines.removeFirst(lines.count - limit) }
  }

  /// Written beside the file and renamed: a full disk must not cost what was there.
  func save() {
    let temporary = path + ".new"
    _ = unsafe unlink(temporary)
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    let text = lines.map { $0 + "\n" }.joined()
    let isWhole = writeAll(descriptor, Array(text.utf8)) && fsync(descriptor) == 0
    close(descriptor)
    if isWhole { _ = unsafe rename(temporary, path) } else { _ = unsafe unlink(temporary) }
  }

  private static func load(_ path: String) -> [String] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while contents.count < maximumFileBytes {
      let count = unsafe read(descriptor, &bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      contents += bytes[..<count]
    }
    return String(decoding: contents, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
