internal import Foundation
internal import Glibc
internal import SecchatCrypto

/// A built program that a test started. Killed with its owner.
package final class Program: Sendable {
  /// What has been seen of it.
  private struct Seen {
    var lines: [String] = []
    /// The line that has not ended.
    var rest = ""
    var errors: [UInt8] = []
    /// Streams that have not ended.
    var open = 2
    var status: Int32?
    /// How many lines `line(where:)` has passed.
    var passed = 0
  }

  package let name: String
  private let process = Process()
  private let input = Pipe()
  private let seen = Lock(Seen())

  /// The folder of the running test's own build, or `SECCHAT_PROGRAMS`.
  private static let folder: String = {
    let given = ProcessInfo.processInfo.environment["SECCHAT_PROGRAMS"] ?? ""
    guard given.isEmpty else { return given }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: own).deletingLastPathComponent().path
  }()

  /// Where a program of the package is.
  package static func path(_ name: String) -> String { folder + "/" + name }

  /// Starts a program of the package, or the one at a path.
  ///
  /// - Parameters:
  ///   - environment: all that it has besides `PATH` and the options of a sanitizer.
  ///   - limits: what a shell does first, in the same process: `ulimit -n 1024`.
  ///   - input: written to its standard input, which then ends; nil leaves it open for `say`.
  package init(
    _ name: String, _ arguments: [String], environment: [String: String] = [:], folder: String? = nil,
    limits: String? = nil, input text: String? = ""
  ) throws {
    self.name = name
    let path = name.hasPrefix("/") ? name : Self.path(name)
    process.executableURL = URL(filePath: limits == nil ? path : "/bin/sh")
    process.arguments = (limits.map { ["-c", $0 + "; exec \"$0\" \"$@\"", path] } ?? []) + arguments
    // Besides the path only what a sanitizer of the program is told.
    let ours = ProcessInfo.processInfo.environment
    var inherited = ours.filter { $0.key == "ASAN_OPTIONS" || $0.key == "TSAN_OPTIONS" }
    inherited["PATH"] = ours["PATH"] ?? "/usr/bin:/bin"
    process.environment = environment.merging(inherited) { given, _ in given }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    let seen = seen
    process.terminationHandler = { ended in
      let status = ended.terminationReason == .exit ? ended.terminationStatus : 128 + ended.terminationStatus
      seen.withLock { $0.status = status }
    }
    try process.run()
    // A program that ends early must not end the tests by SIGPIPE.
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    Self.read(output) { bytes in
      var rest: [UInt8] = []
      while let more = bytes() {
        rest += more
        while let end = rest.firstIndex(of: 0x0a) {
          let line = String(decoding: rest[..<end], as: UTF8.self)
          rest.removeSubrange(...end)
          seen.withLock { $0.lines.append(line) }
        }
        let unfinished = String(decoding: rest, as: UTF8.self)
        seen.withLock { $0.rest = unfinished }
      }
      let last = String(decoding: rest, as: UTF8.self)
      seen.withLock {
        if !last.isEmpty { $0.lines.append(last) }
        $0.open -= 1
      }
    }
    Self.read(errors) { bytes in
      while let more = bytes() { seen.withLock { $0.errors += more } }
      seen.withLock { $0.open -= 1 }
    }
    if let text {
      say(raw: text)
      endInput()
    }
  }

  deinit { signal(SIGKILL) }

  /// Hands the bytes of a pipe, as they come, to a thread of its own.
  private static func read(_ pipe: Pipe, _ body: @escaping @Sendable (() -> Data?) -> Void) {
    let handle = pipe.fileHandleForReading
    Thread {
      body {
        let data = handle.availableData
        return data.isEmpty ? nil : data
      }
      try? handle.close()
    }.start()
  }

  /// The process id.
  package var id: Int32 { process.processIdentifier }

  /// Whether it has not ended yet.
  package var isRunning: Bool { seen.withLock { $0.status == nil } }

  /// Whether all its output is here: it has closed it, or ended.
  package var hasClosedOutput: Bool { seen.withLock { $0.open == 0 } }

  /// Every line of standard output so far.
  package var lines: [String] { seen.withLock { $0.lines } }

  /// Standard output so far, with a line that has not ended.
  package var output: String { seen.withLock { ($0.lines + [$0.rest]).joined(separator: "\n") } }

  /// Standard error so far.
  package var errors: String { seen.withLock { String(decoding: $0.errors, as: UTF8.self) } }

  // MARK: Acting

  /// Types a line.
  package func say(_ line: String) { say(raw: line + "\n") }

  private func say(raw text: String) {
    try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
  }

  /// Ends its standard input.
  package func endInput() { try? input.fileHandleForWriting.close() }

  /// Sends a signal. A program that could not be started has the id 0, by which the tests would signal themselves.
  package func signal(_ number: Int32) {
    if isRunning, id > 0 { _ = kill(id, number) }
  }

  // MARK: Waiting

  /// The next line, after those already returned, that fits; lines before it are passed over.
  package func line(
    _ what: String, within limit: Duration = patience, where fits: (String) throws -> Bool
  ) async throws -> String {
    try await eventually("\(name): \(what) did not come\n\(report)", within: limit) {
      while true {
        let (next, isOver) = seen.withLock { seen -> (String?, Bool) in
          guard seen.passed < seen.lines.count else { return (nil, seen.open == 0) }
          seen.passed += 1
          return (seen.lines[seen.passed - 1], false)
        }
        guard let next else {
          if isOver { throw TookTooLong("\(name) ended without \(what)\n\(report)") }
          return nil
        }
        if try fits(next) { return next }
      }
    }
  }

  /// Its exit status once it has ended and all its output is here; 128 and the number for a signal.
  package func finish(within limit: Duration = patience) async throws -> Int32 {
    try await eventually("\(name) did not end\n\(report)", within: limit) {
      seen.withLock { $0.open == 0 ? $0.status : nil }
    }
  }

  /// What it has said, for a failure.
  package var report: String {
    (lines.suffix(20) + errors.split(separator: "\n").suffix(20).map(String.init)).joined(separator: "\n")
  }
}
