import Foundation
import TestSupport

/// There is nothing to run Python programs with.
struct NoPython: Error, CustomStringConvertible {
  let path: String

  var description: String {
    "no Python interpreter at \(path): run scripts/test, which makes it, or set SECCHAT_PYTHON"
  }
}

extension Program {
  /// Starts a Python program below `peers`, by `SECCHAT_PYTHON` or by the interpreter that scripts/lib/python-peers makes.
  static func python(_ script: String, _ arguments: String...) throws -> Program {
    let given = ProcessInfo.processInfo.environment["SECCHAT_PYTHON"] ?? ""
    let path = given.isEmpty ? Vectors.packageRoot.appending(path: ".venv/bin/python3").path : given
    guard FileManager.default.isExecutableFile(atPath: path) else { throw NoPython(path: path) }
    let script = Vectors.packageRoot.appending(path: "Tests/InteropTests/peers/\(script)").path
    return try Program(
      path, [script] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"], input: nil)
  }

  /// Types a line of JSON.
  func say(json value: some Encodable) throws {
    say(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
  }
}
