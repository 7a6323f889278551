internal import SecchatCore

/// How often the registry said no, for the log: numbers, and nothing of whom.
struct Tally: Equatable {
  var turnedAway = 0
  var handshakes = 0
  private(set) var signUps = 0
  private(set) var logIns = 0
  private(set) var lookUps = 0

  /// Counts a request that was answered by FAILURE.
  mutating func count(_ request: some Numbered) {
    switch request {
    case is Register: signUps += 1
    case is Login: logIns += 1
    case is Lookup, is List, is Fetch: lookUps += 1
    case let early as EarlyRequest where [.lookup, .list, .fetch].contains(early.type): lookUps += 1
    default: break
    }
  }

  /// One line, or nil where there is nothing to tell.
  var line: String? {
    let parts = [
      (turnedAway, "connections turned away"), (handshakes, "handshakes failed"),
      (signUps, "sign-ups refused"), (logIns, "log-ins refused"), (lookUps, "look-ups refused"),
    ]
    let told = parts.filter { $0.0 > 0 }.map { "\($0.1): \($0.0)" }
    return told.isEmpty ? nil : told.joined(separator: ", ")
  }
}
