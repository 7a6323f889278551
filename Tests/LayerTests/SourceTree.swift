import Foundation
import TestSupport
import Testing

/// The repository's own files, as text.
enum SourceTree {
  /// Paths from the root of what the repository keeps or would keep: nothing that is ignored.
  static let files: [String] = {
    if let listed = try? run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"),
      !listed.isEmpty
    {
      return listed.split(separator: "\0").map(String.init).filter(exists).sorted()
    }
    // An archive without git.
    let hidden: Set = [".build", ".git", ".venv", ".venv-bench", "__pycache__"]
    guard let all = FileManager.default.enumerator(atPath: Vectors.packageRoot.path) else { return [] }
    return all.compactMap { $0 as? String }.filter { path in
      !path.split(separator: "/").contains { hidden.contains(String($0)) } && exists(path)
    }.sorted()
  }()

  /// The Swift files below a folder.
  static func swift(_ folder: String) -> [String] {
    files.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(".swift") }
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: Vectors.packageRoot.appending(path: path), encoding: .utf8)
  }

  /// The lines without their comments; string literals stay.
  static func code(_ path: String) throws -> [Substring] {
    try text(path).split(separator: "\n", omittingEmptySubsequences: false).filter {
      !$0.drop(while: \.isWhitespace).hasPrefix("//")
    }
  }

  private static func exists(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let full = Vectors.packageRoot.appending(path: path).path
    return unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) && !isFolder.boolValue
  }

  /// Standard output of a program run in the package's root.
  static func run(_ words: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.currentDirectoryURL = Vectors.packageRoot
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : ""
  }
}
