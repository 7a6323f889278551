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
