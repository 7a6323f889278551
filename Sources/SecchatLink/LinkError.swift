package import SecchatCore
package import SecchatNet

/// Why a link could not be made or could not go on. Nothing in it comes from the other side's text.
package enum LinkError: Error, Equatable, Sendable {
  /// The other side ended the conversation, and said why.
  case closed(Close.Reason)
  /// The bytes could not be carried.
  case network(NetError)
  /// The handshake did not complete: a wrong key, a wrong name, or somebody in between.
  case handshakeFailed
  /// What the other side said of itself in the handshake was refused.
  case peerRefused
  /// A record did not authenticate, or was none.
  case integrity
  /// A frame could not be read, or may not stand there.
  case protocolError
}
