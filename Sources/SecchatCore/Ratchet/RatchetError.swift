/// Why a message was not opened or sealed. Nothing has changed then.
package enum RatchetError: Error, Equatable, Sendable {
  /// It does not authenticate, or its key has been used.
  case undecryptable
  /// It lies further ahead than keys are kept for.
  case tooFarAhead
  /// Nothing can be sent before something was received: the responder's beginning.
  case cannotSendYet
  /// A chain has as many messages as its numbers reach.
  case exhausted
}
