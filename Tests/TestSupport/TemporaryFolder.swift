internal import Foundation

/// A folder for one test, closed to others and removed with its owner.
package final class TemporaryFolder: Sendable {
  /// Short, because a socket's path may have 107 bytes.
  package let path: String

  /// - Parameter inMemory: for tests that would wait for the disk often; where there is no such place, it is on disk.
  package init(inMemory: Bool = false) throws {
    let memory = "/dev/shm"
    let parent =
      inMemory && FileManager.default.isWritableFile(atPath: memory)
      ? URL(filePath: memory) : FileManager.default.temporaryDirectory
    let name = "secchat-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    path = parent.appending(path: name).path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A path in it.
  package func file(_ name: String) -> String { path + "/" + name }

  /// What is directly in it.
  package func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// The bytes of a file.
  package func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: file(name))))
  }

  /// Writes a file and names its path.
  @discardableResult
  package func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    try write(name, text.utf8, mode: mode)
  }

  /// Writes a file, in folders that are made where they are missing, and names its path.
  @discardableResult
  package func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o600) throws -> String {
    let place = URL(filePath: file(name))
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: place)
    try setPermissions(mode, of: file(name))
    return file(name)
  }
}

/// The permission bits of a file.
package func permissions(of path: String) throws -> Int? {
  try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

/// Changes the permission bits of a file.
package func setPermissions(_ mode: Int, of path: String) throws {
  try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}
