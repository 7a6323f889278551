/// How a command ended: the process's exit status, and the `code` of an `error` line.
public enum ExitStatus: Int32, Codable, Sendable, CaseIterable {
  /// What was asked for was done.
  case done = 0
  /// The request itself was wrong: usage, an unknown name, a file that is not there.
  case usage = 1
  /// The program could not do its part.
  case `internal` = 2
  /// The registry, or the network, cannot be reached.
  case unreachable = 3
  /// A key is not trusted, or changed.
  case untrusted = 4
  /// Too many requests; later is better.
  case rateLimited = 5
  /// The peer is offline or did not answer.
  case peerOffline = 6
  /// A wrong passphrase, or logged out.
  case authentication = 7
  /// Data on disk or on the wire is damaged.
  case integrity = 8
  /// The other side, or a rule, said no.
  case refused = 9
}

/// What a person is told when something could not be done: what was wrong, and what to do.
public struct NodeError: Error, Equatable, Sendable {
  /// The exit status that a command ends with.
  public let status: ExitStatus
  /// One line without a full stop: what was wrong. Holds no text from other machines but checked names.
  public let message: String
  /// One line: what to do about it; empty where there is nothing to say.
  public let hint: String

  /// An error with its advice.
  public init(_ status: ExitStatus, _ message: String, hint: String = "") {
    self.status = status
    self.message = message
    self.hint = hint
  }
}
