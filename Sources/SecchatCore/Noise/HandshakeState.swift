package import SecchatCrypto

/// A handshake between two of its messages (section 5.3). Writing or reading consumes it and gives the next.
package struct HandshakeState<Hash: HashFunction & ~Copyable>: ~Copyable, Sendable {
  private let pattern: HandshakePattern
  private let role: HandshakePattern.Role
  private let localStatic: LinkKeyPair?
  private let presharedKeys: [PresharedKey]

  private var symmetric: SymmetricState<Hash>
  private var ephemeral: AgreementPrivateKey<EphemeralPurpose>?
  private var remote: Remote
  private var messageIndex = 0
  private var presharedKeysUsed = 0

  /// What is known of the other side.
  private struct Remote: Sendable {
    var ephemeral: AgreementPublicKey<EphemeralPurpose>?
    var `static`: AgreementPublicKey<LinkPurpose>?
  }

  /// The initiator's state before the first message.
  ///
  /// - Parameters:
  ///   - prologue: what both sides must agree on; hashed, also when empty.
  ///   - static: this side's key pair, exactly if the pattern has the initiator use one.
  ///   - remoteStatic: the responder's key, exactly if the pattern has the initiator know it beforehand.
  ///   - presharedKeys: one for each `psk` modifier, in the order of the messages.
  /// - Throws: `wrongKeys` where the keys are not exactly those the pattern uses.
  package static func initiator(
    pattern: HandshakePattern, prologue: [UInt8], static: LinkKeyPair? = nil,
    remoteStatic: AgreementPublicKey<LinkPurpose>? = nil, presharedKeys: [PresharedKey] = []
  ) throws(NoiseError) -> HandshakeState {
    try HandshakeState(
      pattern, .initiator, prologue, `static`, remoteStatic, presharedKeys, ephemeral: nil)
  }

  /// The responder's state before the first message; the parameters are as the initiator's, with the sides swapped.
  ///
  /// - Throws: `wrongKeys` where the keys are not exactly those the pattern uses.
  package static func responder(
    pattern: HandshakePattern, prologue: [UInt8], static: LinkKeyPair? = nil,
    remoteStatic: AgreementPublicKey<LinkPurpose>? = nil, presharedKeys: [PresharedKey] = []
  ) throws(NoiseError) -> HandshakeState {
    try HandshakeState(
      pattern, .responder, prologue, `static`, remoteStatic, presharedKeys, ephemeral: nil)
  }

  /// Either side's state with a given ephemeral key, for published vectors.
  package static func withFixedEphemeralForTestingOnly(
    _ ephemeral: consuming AgreementPrivateKey<EphemeralPurpose>?, pattern: HandshakePattern,
    role: HandshakePattern.Role, prologue: [UInt8], static: LinkKeyPair? = nil,
    remoteStatic: AgreementPublicKey<LinkPurpose>? = nil, presharedKeys: [PresharedKey] = []
  ) throws(NoiseError) -> HandshakeState {
    try HandshakeState(
      pattern, role, prologue, `static`, remoteStatic, presharedKeys, ephemeral: ephemeral)
  }

  private init(
    _ pattern: HandshakePattern, _ role: HandshakePattern.Role, _ prologue: [UInt8],
    _ localStatic: LinkKeyPair?, _ remoteStatic: AgreementPublicKey<LinkPurpose>?,
    _ presharedKeys: [PresharedKey], ephemeral: consuming AgreementPrivateKey<EphemeralPurpose>?
  ) throws(NoiseError) {
    let remoteIsKnown = role == .initiator ? pattern.responderIsKnown : pattern.initiatorIsKnown
    guard
      pattern.needsStatic(role) == (localStatic != nil), remoteIsKnown == (remoteStatic != nil),
      pattern.presharedKeyCount == presharedKeys.count
    else { throw .wrongKeys }

    self.pattern = pattern
    self.role = role
    self.localStatic = localStatic
    self.presharedKeys = presharedKeys
    self.ephemeral = ephemeral
    remote = Remote(static: remoteStatic)
    symmetric = SymmetricState(protocolName: ProtocolName.text(pattern: pattern, hash: Hash.name))
    symmetric.mixHash(prologue.raw)
    let (initiatorStatic, responderStatic) =
      role == .initiator
      ? (localStatic?.publicKey, remoteStatic) : (remoteStatic, localStatic?.publicKey)
    if pattern.initiatorIsKnown, let key = initiatorStatic { symmetric.mixHash(key.raw.bytes) }
    if pattern.responderIsKnown, let key = responderStatic { symmetric.mixHash(key.raw.bytes) }
  }

  /// The other side's static key, from the moment it is known.
  package var remoteStatic: AgreementPublicKey<LinkPurpose>? { remote.static }

  /// Whether this side writes the next message.
  package var isWriting: Bool { pattern.writer(of: messageIndex) == role }
}

// MARK: - Steps

extension HandshakeState where Hash: ~Copyable {
  /// What became of a write.
  package enum WriteOutcome: ~Copyable {
    /// The message to send; it is the other side's turn.
    case next(HandshakeState, message: [UInt8])
    /// The last message to send; the handshake is complete.
    case finished(TransportState, message: [UInt8])
    /// Nothing to send; the state is as it was.
    case refused(HandshakeState, NoiseError)
  }

  /// What became of a read.
  package enum ReadOutcome: ~Copyable {
    /// The message's payload; it is this side's turn.
    case next(HandshakeState, payload: [UInt8])
    /// The last message's payload; the handshake is complete.
    case finished(TransportState, payload: [UInt8])
    /// The message was not the other side's; the state is as it was.
    case rejected(HandshakeState, NoiseError)
  }

  /// WriteMessage.
  package consuming func write(payload: RawSpan) -> WriteOutcome {
    guard isWriting else { return .refused(self, .outOfTurn) }
    let checkpoint = symmetric.duplicate()
    let ephemeralWasFixed = hasEphemeral
    let used = presharedKeysUsed
    let message: [UInt8]
    do throws(NoiseError) {
      message = try compose(payload)
    } catch {
      symmetric = checkpoint
      presharedKeysUsed = used
      if !ephemeralWasFixed { ephemeral = nil }
      return .refused(self, error)
    }
    messageIndex += 1
    return messageIndex < pattern.messages.count
      ? .next(self, message: message) : .finished(finish(), message: message)
  }

  /// ReadMessage.
  package consuming func read(message: RawSpan) -> ReadOutcome {
    guard !isWriting else { return .rejected(self, .outOfTurn) }
    let checkpoint = symmetric.duplicate()
    let before = remote
    let used = presharedKeysUsed
    let payload: [UInt8]
    do throws(NoiseError) {
      payload = try parse(message)
    } catch {
      symmetric = checkpoint
      remote = before
      presharedKeysUsed = used
      return .rejected(self, error)
    }
    messageIndex += 1
    return messageIndex < pattern.messages.count
      ? .next(self, payload: payload) : .finished(finish(), payload: payload)
  }

  private consuming func finish() -> TransportState {
    let (hash, remoteStatic) = (symmetric.handshakeHash, remote.static)
    let split = symmetric.split(isInitiator: role == .initiator, isOneWay: pattern.isOneWay)
    return TransportState(
      sending: split.sending, receiving: split.receiving, handshakeHash: hash, remoteStatic: remoteStatic)
  }

  private var hasEphemeral: Bool {
    switch ephemeral {
    case .some: true
    case .none: false
    }
  }
}

// MARK: - Tokens

extension HandshakeState where Hash: ~Copyable {
  private mutating func compose(_ payload: RawSpan) throws(NoiseError) -> [UInt8] {
    // Before anything of that size is copied.
    guard payload.byteCount <= NoiseLimits.messageLength else { throw .messageTooLong }
    var message: [UInt8] = []
    for token in pattern.messages[messageIndex] {
      switch token {
      case .e:
        let key = try ephemeralPublicKey()
        message.append(contentsOf: key.raw.array)
        mixEphemeral(key)
      case .s:
        guard let key = localStatic?.publicKey else { throw .wrongKeys }
        try symmetric.encryptAndHash(key.raw.bytes, appendingTo: &message)
      case .ee, .es, .se, .ss:
        try mixSharedSecret(token)
      case .psk:
        mixPresharedKey()
      }
    }
    try symmetric.encryptAndHash(payload, appendingTo: &message)
    guard message.count <= NoiseLimits.messageLength else { throw .messageTooLong }
    return message
  }

  private mutating func parse(_ message: RawSpan) throws(NoiseError) -> [UInt8] {
    guard message.byteCount <= NoiseLimits.messageLength else { throw .messageTooLong }
    var offset = 0
    func take(_ count: Int) throws(NoiseError) -> Range<Int> {
      guard message.byteCount - offset >= count else { throw .messageTooShort }
      defer { offset += count }
      return offset..<offset + count
    }
    for token in pattern.messages[messageIndex] {
      switch token {
      case .e:
        let range = try take(NoiseLimits.publicKeyLength)
        let bytes = message.extracting(range)
        guard let raw = FixedBytes<32>(bytes) else { throw .messageTooShort }
        let key = AgreementPublicKey<EphemeralPurpose>(raw)
        remote.ephemeral = key
        mixEphemeral(key)
      case .s:
        let range = try take(NoiseLimits.publicKeyLength + (symmetric.hasKey ? aeadTagLength : 0))
        let plaintext = try symmetric.decryptAndHash(message.extracting(range))
        guard let raw = FixedBytes<32>(plaintext) else { throw .messageTooShort }
        remote.static = AgreementPublicKey(raw)
      case .ee, .es, .se, .ss:
        try mixSharedSecret(token)
      case .psk:
        mixPresharedKey()
      }
    }
    return try symmetric.decryptAndHash(message.extracting(offset..<message.byteCount))
  }

  /// This side's ephemeral key, drawn when it is first sent.
  private mutating func ephemeralPublicKey() throws(NoiseError) -> AgreementPublicKey<EphemeralPurpose> {
    if !hasEphemeral {
      do throws(CryptoError) { ephemeral = try .random() } catch { throw .wrongKeys }
    }
    switch ephemeral {
    case .some(let key): return key.publicKey
    case .none: throw .wrongKeys
    }
  }

  /// With a pre-shared key in the pattern, the ephemeral keys randomise the cipher key too (section 9.2).
  private mutating func mixEphemeral(_ key: AgreementPublicKey<EphemeralPurpose>) {
    symmetric.mixHash(key.raw.bytes)
    if pattern.presharedKeyCount > 0 { symmetric.mixKey(key.raw.bytes) }
  }

  private mutating func mixPresharedKey() {
    // The count was checked against the pattern at the start.
    let key = presharedKeys[presharedKeysUsed]
    symmetric.mixKeyAndHash(key.secret)
    presharedKeysUsed += 1
  }

  private mutating func mixSharedSecret(_ token: HandshakePattern.Token) throws(NoiseError) {
    let secret: SecretBytes
    do throws(CryptoError) {
      secret = try sharedSecret(token)
    } catch {
      throw .authenticationFailed
    }
    symmetric.mixKey(secret.bytes)
  }

  /// The Diffie-Hellman result of a token: its first letter is the initiator's key, its second the responder's.
  private borrowing func sharedSecret(
    _ token: HandshakePattern.Token
  ) throws(CryptoError) -> SecretBytes {
    switch (token, role) {
    case (.ee, _):
      guard let theirs = remote.ephemeral else { throw .wrongLength }
      return try ephemeralSecret(with: theirs)
    case (.es, .initiator), (.se, .responder):
      guard let theirs = remote.static else { throw .wrongLength }
      return try ephemeralSecret(with: theirs)
    case (.se, .initiator), (.es, .responder):
      guard let theirs = remote.ephemeral, let localStatic else { throw .wrongLength }
      return try localStatic.privateKey.sharedSecret(with: theirs)
    default:
      guard let theirs = remote.static, let localStatic else { throw .wrongLength }
      return try localStatic.privateKey.sharedSecret(with: theirs)
    }
  }

  private borrowing func ephemeralSecret<Purpose>(
    with theirs: AgreementPublicKey<Purpose>
  ) throws(CryptoError) -> SecretBytes {
    switch ephemeral {
    case .some(let mine): return try mine.sharedSecret(with: theirs)
    case .none: throw .wrongLength
    }
  }
}
