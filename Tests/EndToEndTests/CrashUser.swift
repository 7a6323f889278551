import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// One of two who write to each other while everything around them is killed.
final class CrashUser: Sendable {
  private struct State {
    var daemon: Program?
    /// The command under way, so that it can be killed too.
    var command: Program?
    /// All daemons there ever were: what each printed counts.
    var lives: [Program] = []
    var outcomes: [Outcome] = []
    /// Ids of the messages that were accepted, in the order of the answers.
    var accepted: [String] = []
    /// Messages without an answer: they may have been kept.
    var unanswered = 0
    /// The last message's number.
    var number = 0
    var statuses: [Int32: Int] = [:]
  }

  let profile: Profile
  private let state = Lock(State())

  init(_ profile: Profile) { self.profile = profile }

  var accepted: [String] { state.withLock { $0.accepted } }
  var unanswered: Int { state.withLock { $0.unanswered } }
  var statuses: [Int32: Int] { state.withLock { $0.statuses } }
  var outcomes: [Outcome] { state.withLock { $0.outcomes } }
  private var lives: [Program] { state.withLock { $0.lives } }

  /// All that its daemons have printed.
  var records: [Record] { lives.flatMap(\.lines).compactMap { Record($0) } }

  // MARK: The daemon

  /// Starts a daemon, which listens where the system likes; not waited for.
  func start() throws {
    let daemon = try profile.start(words: ["daemon", "--listen", "127.0.0.1:0"])
    state.withLock {
      $0.daemon = daemon
      $0.lives.append(daemon)
    }
  }

  func killDaemon() async throws { try await state.withLock { $0.daemon }?.destroy() }

  /// Kills the command under way, if there is one.
  func killCommand() { state.withLock { $0.command }?.signal(SIGKILL) }

  /// Sees that a daemon is up: one that could not start beside a command is started again.
  func settle() async throws {
    while true {
      guard let daemon = state.withLock({ $0.daemon }) else { return try start() }
      let isOnline = try await eventually("\(profile.name) is online, or its daemon has ended") {
        if daemon.lines.contains(where: { Record($0)?.type == "online" }) { return true }
        return daemon.isRunning ? nil : false
      }
      if isOnline { return }
      try start()
    }
  }

  func stop() async throws { try await state.withLock { $0.daemon }?.stop() }

  /// Waits until nothing is left to be confirmed.
  func drain(within limit: Duration) async throws {
    try await eventually("nothing of \(profile.name) waits", within: limit) { () async throws -> Bool in
      let outcome = try await profile.run("outbox")
      if outcome.status == 0, outcome.records.isEmpty { return true }
      try await Task.sleep(for: .milliseconds(200))
      return false
    }
  }

  // MARK: Writing

  /// Writes a few messages with one command, numbered on from the last.
  func write(to other: String, _ count: Int, waitingFor wait: String) async throws {
    let first = state.withLock { state in
      defer { state.number += count }
      return state.number + 1
    }
    let lines = (first..<first + count).map {
      "\($0) " + String(repeating: ".", count: Int.random(in: 0...900))
    }
    let words = ["chat", other, "-", "--wait", wait, "--timeout", ["0.3", "1", "3"].randomElement() ?? "1"]
    let program = try profile.start(words: words, input: lines.joined(separator: "\n") + "\n")
    state.withLock { $0.command = program }
    let status = try await program.finish()
    let outcome = Outcome(
      command: words.joined(separator: " "), status: status, lines: program.lines, errors: program.errors)
    let sent = outcome.records("sent").compactMap { $0["id"] }
    state.withLock {
      $0.command = nil
      $0.outcomes.append(outcome)
      $0.accepted += sent
      $0.unanswered += count - sent.count
      $0.statuses[status, default: 0] += 1
    }
  }
}
