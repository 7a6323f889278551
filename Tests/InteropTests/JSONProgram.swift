import Foundation
import SecchatCrypto
import TestSupport

/// A program whose standard output is JSON lines that may be taken in any order.
final class JSONProgram: Sendable {
  private struct Output {
    /// How many lines of the program's are in `untaken`, or have been.
    var read = 0
    var untaken: [JSONValue] = []
  }

  private let program: Program
  private let output = Lock(Output())

  init(_ program: Program) { self.program = program }

  /// Writes one line.
  func say(_ value: JSONValue) throws { try program.say(json: value) }

  /// Takes the first line not yet taken that has one of the types and meets `condition`, as soon as it is there.
  @discardableResult
  func next(
    _ type: String, or other: String? = nil, within limit: Duration = patience,
    where condition: (JSONValue) -> Bool = { _ in true }
  ) async throws -> JSONValue {
    try await eventually("\(program.name): a line '\(type)' did not come\n\(program.report)", within: limit) {
      // Asked before looking: after its end nothing more comes.
      let isOver = program.hasClosedOutput
      let found = withUntaken { untaken in
        untaken.firstIndex { ($0.type == type || $0.type == other) && condition($0) }
          .map { untaken.remove(at: $0) }
      }
      if found == nil, isOver {
        throw TookTooLong("\(program.name) ended without '\(type)'\n\(program.report)")
      }
      return found
    }
  }

  /// The lines not yet taken of a type.
  func untaken(_ type: String) -> [JSONValue] {
    withUntaken { untaken in untaken.filter { $0.type == type } }
  }

  private func withUntaken<Value>(_ body: (inout [JSONValue]) -> Value) -> Value {
    let lines = program.lines
    return output.withLock { output in
      // What is no JSON is seen in the program's report only.
      output.untaken += lines.dropFirst(output.read).compactMap {
        try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
      }
      output.read = max(output.read, lines.count)
      return body(&output.untaken)
    }
  }

  /// Waits until the program has ended; its exit status.
  func exitStatus() async throws -> Int32 {
    program.endInput()
    return try await program.finish()
  }

  /// Asks the program to end.
  func interrupt() { program.signal(SIGTERM) }
}
