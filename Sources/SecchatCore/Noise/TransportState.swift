package import SecchatCrypto

/// What a finished handshake leaves: a key for each direction and what was learnt on the way.
@frozen package struct TransportState: ~Copyable, Sendable {
  /// Seals what this side sends. Refuses everything on the receiving side of a one-way pattern.
  package var sending: CipherState
  /// Opens what the other side sent. Refuses everything on the sending side of a one-way pattern.
  package var receiving: CipherState
  /// `h` after the last message: names this very session, for channel binding (section 11.2).
  package let handshakeHash: [UInt8]
  /// The other side's static key, where the pattern has one.
  package let remoteStatic: AgreementPublicKey<LinkPurpose>?
}
