package import Foundation

/// A folder for one test, closed to others and removed with its owner.
package final class TemporaryFolder: Sendable {
  /// Short, because a socket's path may have 107 bytes.
  package let path: String

  package init() throws {
    let name = "secchat-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    path = FileManager.default.temporaryDirectory.appending(path: name).path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A path in it.
  package func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file and names its path.
  @discardableResult
  package func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    try write(name, Data(text.utf8), mode: mode)
  }

  /// Writes a file and names its path.
  @discardableResult
  package func write(_ name: String, _ data: Data, mode: Int = 0o600) throws -> String {
    try data.write(to: URL(filePath: file(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    return file(name)
  }
}

/// The permission bits of a file.
package func mode(of path: String) throws -> Int? {
  try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

/// Changes the permission bits of a file.
package func setMode(_ mode: Int, of path: String) throws {
  try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}
