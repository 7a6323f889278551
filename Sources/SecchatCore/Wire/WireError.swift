/// Why bytes from outside were refused.
package enum WireError: Error, Equatable, Sendable {
  /// They ended too early.
  case truncated
  /// They went on after the end.
  case trailing
  /// A length is over its limit.
  case tooLong
  /// A value that may not stand there.
  case malformed
}
