import Foundation
import TestSupport

/// A Python program below `peers`, asked and answering in JSON lines.
final class PythonPeer {
  enum Failure: Error, CustomStringConvertible {
    case noInterpreter(String)
    case noAnswer(String)

    var description: String {
      switch self {
      case .noInterpreter(let path):
        "no Python interpreter at \(path): run scripts/test, which makes it, or set SECCHAT_PYTHON"
      case .noAnswer(let program): "\(program) ended without an answer"
      }
    }
  }

  private let process = Process()
  private let (input, output) = (Pipe(), Pipe())
  private let program: String

  /// Starts `peers/PROGRAM` with `arguments`.
  init(_ program: String, _ arguments: [String]) throws {
    self.program = program
    process.executableURL = try Self.interpreter()
    process.arguments = [Self.script(program)] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// `SECCHAT_PYTHON`, or the one that scripts/lib/python-peers makes.
  static func interpreter() throws -> URL {
    let given = ProcessInfo.processInfo.environment["SECCHAT_PYTHON"] ?? ""
    let path = given.isEmpty ? Vectors.packageRoot.appending(path: ".venv/bin/python3").path : given
    guard FileManager.default.isExecutableFile(atPath: path) else { throw Failure.noInterpreter(path) }
    return URL(filePath: path)
  }

  /// The path of a program below `peers`.
  static func script(_ program: String) -> String {
    Vectors.packageRoot.appending(path: "Tests/InteropTests/peers/\(program)").path
  }

  /// Sends one line.
  func ask(_ question: some Encodable) throws {
    try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(question) + [0x0a])
  }

  /// The next line.
  func answer<Answer: Decodable>(_: Answer.Type = Answer.self) throws -> Answer {
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), let value = byte.first {
      if value == 0x0a { return try JSONDecoder().decode(Answer.self, from: line) }
      line.append(value)
    }
    throw Failure.noAnswer(program)
  }

  /// Lets the peer end by itself.
  func finish() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  deinit { if process.isRunning { process.terminate() } }
}
