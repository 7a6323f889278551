import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// A user of the soak: a profile and its daemon, which is ended and started again now and then.
final class SoakUser: Sendable {
  private struct State {
    var daemon: Program?
    /// All there ever were, the one that runs at the end: what each printed counts.
    var lives: [Program] = []
    /// Commands under way that this user is in.
    var busy = 0
    /// Whether commands keep away.
    var isClosed = false
    /// When its daemon was last not there.
    var lastAway: ContinuousClock.Instant?
    var isAway = true
  }

  let profile: Profile
  private let state = Lock(State())

  init(_ profile: Profile) { self.profile = profile }

  var name: String { profile.name }

  /// The process that runs now.
  var process: Int32? { state.withLock { $0.daemon?.id } }

  /// Everything that its daemons have printed.
  var lines: [String] { state.withLock { $0.lives }.flatMap(\.lines) }

  /// The newest line of a type with that id; nil where there is none.
  func record(_ type: String, id: String) -> Record? {
    for life in state.withLock({ $0.lives }).reversed() {
      for line in life.lines.reversed() where line.contains(id) {
        if let record = Record(line), record.type == type { return record }
      }
    }
    return nil
  }

  /// How often its daemons have lost the registry; nil while the last of them has not found it again.
  var timesOffline: Int? {
    let word = lines.filter { $0.contains(#""type":"offline""#) || $0.contains(#""type":"online""#) }
    guard word.last?.contains(#""type":"online""#) == true else { return nil }
    return word.count { $0.contains(#""type":"offline""#) }
  }

  // MARK: Being used

  /// Whether a command may go; to be followed by `leave`.
  func enter() -> Bool {
    state.withLock { state in
      guard !state.isClosed else { return false }
      state.busy += 1
      return true
    }
  }

  func leave() { state.withLock { $0.busy -= 1 } }

  /// Keeps commands away, and waits until none is under way.
  func close() async throws {
    state.withLock { $0.isClosed = true }
    try await eventually("the commands with \(name) end", within: .seconds(180)) {
      state.withLock { $0.busy } == 0
    }
  }

  func open() { state.withLock { $0.isClosed = false } }

  /// Whether its daemon was away at some time since `instant`.
  func wasAway(since instant: ContinuousClock.Instant) -> Bool {
    state.withLock { $0.isAway || $0.lastAway.map { $0 >= instant } ?? false }
  }

  // MARK: Coming and going

  func start() async throws {
    let daemon = try profile.start(words: ["daemon", "--accept-files", "always", "--listen", "127.0.0.1:0"])
    _ = try await daemon.record("online", within: .seconds(180))
    state.withLock {
      $0.daemon = daemon
      $0.lives.append(daemon)
      $0.isAway = false
      $0.lastAway = .now
    }
  }

  /// Ends the daemon in the midst of what it does, and starts another.
  func restart() async throws {
    let daemon = state.withLock { state in
      state.isAway = true
      return state.daemon
    }
    try await daemon?.stop()
    try await start()
  }

  /// The same without a warning, while nothing is under way: what a killed daemon has kept and not yet printed is not
  /// printed by the next.
  func crash() async throws {
    try await close()
    state.withLock { $0.isAway = true }
    try await state.withLock { $0.daemon }?.destroy()
    try await start()
    open()
  }
}
