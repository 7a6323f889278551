package import SecchatCrypto

/// One direction's key and message counter (section 5.1), always with a key.
package struct CipherState: ~Copyable, Sendable {
  /// 2^64 - 1: never the nonce of a message.
  private static let reservedNonce = UInt64.max

  private var key: AEADKey<ChaChaPoly>

  /// How many messages went through, which is the next one's nonce.
  package private(set) var messages: UInt64

  init(key: consuming AEADKey<ChaChaPoly>, messages: UInt64 = 0) {
    self.key = key
    self.messages = messages
  }

  /// A state with a given key and counter, for published vectors and for the last nonces.
  package static func forTestingOnly(
    key: consuming SecretBytes, messages: UInt64 = 0
  ) throws(CryptoError) -> CipherState {
    CipherState(key: try AEADKey(key), messages: messages)
  }

  /// A direction in which nothing may travel: the way back of a one-way pattern.
  static func unusable() -> CipherState { CipherState(key: .random(), messages: reservedNonce) }

  /// Seals `buffer` in place as the next message: its last 16 bytes become the tag.
  ///
  /// - Throws: `messageTooLong` over 65,535 bytes, `messageTooShort` without room for the tag, `nonceExhausted`.
  package mutating func seal(
    inPlace buffer: inout MutableRawSpan, authenticating data: RawSpan = RawSpan()
  ) throws(NoiseError) {
    try step(buffer.byteCount, failing: .messageTooShort) { (key, nonce) throws(CryptoError) in
      try key.seal(inPlace: &buffer, nonce: nonce, authenticating: data)
    }
  }

  /// Opens `buffer` in place as the next message; the plaintext is all but its last 16 bytes. The counter moves only
  /// when the tag verifies.
  ///
  /// - Throws: `authenticationFailed`, `messageTooLong`, `messageTooShort`, `nonceExhausted`.
  package mutating func open(
    inPlace buffer: inout MutableRawSpan, authenticating data: RawSpan = RawSpan()
  ) throws(NoiseError) {
    try step(buffer.byteCount, failing: .authenticationFailed) { (key, nonce) throws(CryptoError) in
      try key.open(inPlace: &buffer, nonce: nonce, authenticating: data)
    }
  }

  /// Seals `plaintext` as the next message into other memory, 16 bytes longer.
  ///
  /// - Throws: `messageTooLong` over 65,535 bytes, `messageTooShort` for a target of another length, `nonceExhausted`.
  package mutating func seal(
    _ plaintext: RawSpan, into target: inout MutableRawSpan
  ) throws(NoiseError) {
    try step(target.byteCount, failing: .messageTooShort) { (key, nonce) throws(CryptoError) in
      try key.seal(plaintext, into: &target, nonce: nonce, authenticating: RawSpan())
    }
  }

  /// Opens `message` as the next one into other memory, 16 bytes shorter. The counter moves only when the tag verifies.
  ///
  /// - Throws: `authenticationFailed`, also for a target of another length; `messageTooLong`, `messageTooShort`,
  ///   `nonceExhausted`.
  package mutating func open(
    _ message: RawSpan, into target: inout MutableRawSpan
  ) throws(NoiseError) {
    try step(message.byteCount, failing: .authenticationFailed) { (key, nonce) throws(CryptoError) in
      try key.open(message, into: &target, nonce: nonce, authenticating: RawSpan())
    }
  }

  /// REKEY (section 4.2): the key becomes what it makes of 32 zero bytes under the reserved nonce. The counter stays.
  package mutating func rekey() {
    var block = SecretBytes(count: NoiseLimits.keyLength + aeadTagLength)
    let nonce = Self.nonce(Self.reservedNonce)
    do throws(CryptoError) {
      var span = block.mutableBytes
      try unsafe key.seal(inPlace: &span, nonce: nonce.span.bytes, authenticating: RawSpan())
      key = try AEADKey(SecretBytes(copying: block.bytes.extracting(first: NoiseLimits.keyLength)))
    } catch {
      preconditionFailure("the lengths are constants")
    }
  }

  /// Another owner of the same state, for a step that may have to be taken back.
  borrowing func duplicate() -> CipherState { CipherState(key: key.duplicate(), messages: messages) }

  /// Hands a Noise message of `length` bytes to the cipher under the next nonce. The counter moves only when that went well.
  private mutating func step(
    _ length: Int, failing failure: NoiseError,
    _ body: (borrowing AEADKey<ChaChaPoly>, RawSpan) throws(CryptoError) -> Void
  ) throws(NoiseError) {
    try check(length)
    let nonce = Self.nonce(messages)
    do throws(CryptoError) { try unsafe body(key, nonce.span.bytes) } catch { throw failure }
    messages += 1
  }

  private borrowing func check(_ length: Int) throws(NoiseError) {
    guard length <= NoiseLimits.messageLength else { throw .messageTooLong }
    guard length >= aeadTagLength else { throw .messageTooShort }
    guard messages != Self.reservedNonce else { throw .nonceExhausted }
  }

  /// Four zero bytes, then the counter in little-endian order (section 12.3). Not `FixedBytes`: every frame needs one, and
  /// generic code of another module costs more than the rest of the call.
  private static func nonce(_ counter: UInt64) -> InlineArray<3, UInt32> {
    [
      0, UInt32(truncatingIfNeeded: counter).littleEndian,
      UInt32(truncatingIfNeeded: counter >> 32).littleEndian,
    ]
  }
}
