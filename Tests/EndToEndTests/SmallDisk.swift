import Foundation
import TestSupport
import Testing

/// A file system of its own on a folder, for root alone; gone with its owner.
final class SmallDisk: Sendable {
  let path: String
  private var taken: String { path + "/taken" }

  /// - Parameter path: a folder that is not there yet.
  init(at path: String, size: String) throws {
    self.path = path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    try #require(unsafe mount("tmpfs", path, "tmpfs", 0, "mode=0700,size=\(size)") == 0)
  }

  deinit { unsafe umount2(path, 2) }

  /// Takes all the room there is.
  func fill() throws {
    try Data().write(to: URL(filePath: taken))
    let taker = try #require(FileHandle(forWritingAtPath: taken))
    while (try? taker.write(contentsOf: Data(count: 4_096))) != nil {}
    try taker.close()
  }

  /// Gives it back.
  func empty() throws { try FileManager.default.removeItem(atPath: taken) }

  /// Whether it could be made read-only, or writable again: not while a file is open for writing.
  func makeReadOnly(_ on: Bool) -> Bool {
    unsafe mount(nil, path, nil, UInt(MS_REMOUNT) | (on ? UInt(MS_RDONLY) : 0), nil) == 0
  }
}
