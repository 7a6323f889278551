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
