internal import SecchatCrypto

/// The chaining key, the handshake hash and the cipher of a handshake (section 5.2).
struct SymmetricState<Hash: HashFunction & ~Copyable>: ~Copyable, Sendable {
  private var chainingKey: SecretBytes
  private(set) var handshakeHash: [UInt8]
  private var cipher: CipherState?

  /// InitializeSymmetric.
  init(protocolName: String) {
    var name = Array(protocolName.utf8)
    if name.count <= Hash.digestLength {
      name.append(contentsOf: repeatElement(0, count: Hash.digestLength - name.count))
    } else {
      name = Hash.hash(name.raw)
    }
    self.init(chainingKey: SecretBytes(copying: name.raw), handshakeHash: name, cipher: nil)
  }

  private init(chainingKey: consuming SecretBytes, handshakeHash: [UInt8], cipher: consuming CipherState?) {
    self.chainingKey = chainingKey
    self.handshakeHash = handshakeHash
    self.cipher = cipher
  }

  /// Another owner of the same state, for a step that may have to be taken back.
  borrowing func duplicate() -> SymmetricState {
    let copy: CipherState? =
      switch cipher {
      case .some(let cipher): cipher.duplicate()
      case .none: nil
      }
    return SymmetricState(
      chainingKey: chainingKey.duplicate(), handshakeHash: handshakeHash, cipher: copy)
  }

  /// Whether what `encryptAndHash` writes carries a tag.
  var hasKey: Bool {
    switch cipher {
    case .some: true
    case .none: false
    }
  }

  /// MixHash.
  mutating func mixHash(_ data: RawSpan) {
    var hash = Hash()
    hash.update(handshakeHash.raw)
    hash.update(data)
    handshakeHash = hash.finalize()
  }

  /// MixKey.
  mutating func mixKey(_ input: RawSpan) {
    let output = derive(input, outputs: 2)
    chainingKey = output.part(0, of: Hash.digestLength)
    cipher = output.cipher(1, of: Hash.digestLength)
  }

  /// MixKeyAndHash, for pre-shared keys.
  mutating func mixKeyAndHash(_ presharedKey: borrowing SecretBytes) {
    let output = derive(presharedKey.bytes, outputs: 3)
    chainingKey = output.part(0, of: Hash.digestLength)
    mixHash(output.part(1, of: Hash.digestLength).bytes)
    cipher = output.cipher(2, of: Hash.digestLength)
  }

  /// EncryptAndHash: appends the sealed plaintext to `message`, or the plaintext itself before there is a key.
  mutating func encryptAndHash(_ plaintext: RawSpan, appendingTo message: inout [UInt8]) throws(NoiseError) {
    let (start, hash) = (message.count, handshakeHash)
    message.append(contentsOf: plaintext.array)
    if hasKey {
      message.append(contentsOf: repeatElement(0, count: aeadTagLength))
      try message.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
        var part = span._mutatingExtracting(start..<span.byteCount)
        try cipher?.seal(inPlace: &part, authenticating: hash.raw)
      }
    }
    mixHash(message.raw.extracting(start..<message.count))
  }

  /// DecryptAndHash: the plaintext of `ciphertext`.
  mutating func decryptAndHash(_ ciphertext: RawSpan) throws(NoiseError) -> [UInt8] {
    var plaintext = ciphertext.array
    let hash = handshakeHash
    if hasKey {
      guard plaintext.count >= aeadTagLength else { throw .messageTooShort }
      try plaintext.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
        try cipher?.open(inPlace: &span, authenticating: hash.raw)
      }
      plaintext.removeLast(aeadTagLength)
    }
    mixHash(ciphertext)
    return plaintext
  }

  /// Split: the two transport keys; the initiator sends with the first.
  consuming func split(isInitiator: Bool, isOneWay: Bool) -> Split {
    let output = derive(RawSpan(), outputs: 2)
    let first = output.cipher(0, of: Hash.digestLength)
    let second = isOneWay ? CipherState.unusable() : output.cipher(1, of: Hash.digestLength)
    return isInitiator
      ? Split(sending: first, receiving: second) : Split(sending: second, receiving: first)
  }

  /// What `split` gives, as this side sees it.
  struct Split: ~Copyable {
    let sending: CipherState
    let receiving: CipherState
  }

  /// Noise's HKDF (section 4.3), which is RFC 5869's with the chaining key as salt and no info.
  private borrowing func derive(_ input: RawSpan, outputs: Int) -> SecretBytes {
    do {
      return try HKDF<Hash>.derive(
        inputKeyMaterial: input, salt: chainingKey.bytes, info: RawSpan(), count: outputs * Hash.digestLength)
    } catch {
      preconditionFailure("two or three digests are within HKDF's limit")
    }
  }
}

extension SecretBytes {
  /// The part with this index when cut into parts of `length` bytes.
  fileprivate borrowing func part(_ index: Int, of length: Int) -> SecretBytes {
    SecretBytes(copying: bytes.extracting(index * length..<(index + 1) * length))
  }

  /// A cipher under the first 32 bytes of a part.
  fileprivate borrowing func cipher(_ index: Int, of length: Int) -> CipherState {
    let start = index * length
    do {
      let key = SecretBytes(copying: bytes.extracting(start..<start + NoiseLimits.keyLength))
      return CipherState(key: try AEADKey(key))
    } catch {
      preconditionFailure("the length is a constant")
    }
  }
}
