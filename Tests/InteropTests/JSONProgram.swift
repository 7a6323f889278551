import Foundation
import SecchatCrypto

/// A program whose standard output is JSON lines. Every wait has a deadline; the program never outlives this object.
final class JSONProgram: Sendable {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct Output {
    var unread: [JSONValue] = []
    var partial = Data()
    var open = 2
    var errors = Data()
  }

  private let process = Process()
  private let input = Pipe()
  private let output = Lock(Output())
  private let name: String

  init(_ executable: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
    name = ([executable.lastPathComponent] + arguments).joined(separator: " ")
    let (lines, errors) = (Pipe(), Pipe())
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = input
    process.standardOutput = lines
    process.standardError = errors
    try process.run()
    read(lines.fileHandleForReading) { output, data in
      output.partial += data
      while let end = output.partial.firstIndex(of: 0x0a) {
        let line = output.partial[..<end]
        // What is no JSON stays to be seen as an error.
        if let value = try? JSONDecoder().decode(JSONValue.self, from: line) {
          output.unread.append(value)
        } else {
          output.errors += line
        }
        output.partial = Data(output.partial[(end + 1)...])
      }
    }
    read(errors.fileHandleForReading) { output, data in output.errors += data }
  }

  /// On a thread of its own, so that no wait of a test keeps a pipe full.
  private func read(_ handle: FileHandle, _ take: @escaping @Sendable (inout Output, Data) -> Void) {
    Thread.detachNewThread { [weak self] in
      while true {
        let data = handle.availableData
        guard let self, !data.isEmpty else { break }
        self.output.withLock { take(&$0, data) }
      }
      self?.output.withLock { $0.open -= 1 }
    }
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  /// Writes one line.
  func say(_ value: JSONValue) throws {
    try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(value) + [0x0a])
  }

  /// Takes the first line not yet taken that has one of the types and meets `condition`, as soon as it is there.
  @discardableResult
  func next(
    _ type: String, or other: String? = nil, within limit: Duration = .seconds(30),
    where condition: (JSONValue) -> Bool = { _ in true }
  ) async throws -> JSONValue {
    try await wait("a line '\(type)'", within: limit) { output in
      let index = output.unread.firstIndex { ($0.type == type || $0.type == other) && condition($0) }
      guard let index else { return nil }
      return output.unread.remove(at: index)
    }
  }

  /// The lines not yet taken of a type.
  func untaken(_ type: String) -> [JSONValue] {
    output.withLock { $0.unread.filter { $0.type == type } }
  }

  /// Waits until the program has ended; its exit status.
  @discardableResult
  func exitStatus(within limit: Duration = .seconds(60)) async throws -> Int32 {
    try? input.fileHandleForWriting.close()
    try await wait("its end", within: limit) { $0.open == 0 && !process.isRunning ? () : nil }
    return process.terminationStatus
  }

  /// Asks the program to end.
  func interrupt() { process.terminate() }

  private func wait<Value>(
    _ what: String, within limit: Duration, _ look: (inout Output) -> Value?
  ) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
      // Asked before looking: what an ended program wrote has all been read once its pipes are closed.
      let ended = output.withLock { $0.open == 0 } && !process.isRunning
      if let value = output.withLock({ look(&$0) }) { return value }
      guard !ended, clock.now < deadline else {
        throw output.withLock { output in
          let errors = String(decoding: output.errors, as: UTF8.self)
          return Failure(
            description: """
              \(ended ? "ended" : "waited \(limit)") without \(what): \(name)
              \(errors)\(output.unread.map { "\n\($0)" }.joined())
              """)
        }
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
