package import SecchatCrypto

/// How a session began: what its responder needs to compute the same root key. It goes with every message until the
/// responder has answered.
///
///     0   ephemeral  32 bytes, X25519
///     32  signed     u32: id of the responder's signed prekey
///     36  one-time   u8: 0, or 1 and u32: id of the one-time prekey
///     .   kem        u8: 0. Reserved for the ciphertext of a second, post-quantum agreement
package struct Initiation: Hashable, Sendable {
  package let ephemeral: InitiationPublicKey
  package let signed: UInt32
  package let oneTime: UInt32?

  package init(ephemeral: InitiationPublicKey, signed: UInt32, oneTime: UInt32?) {
    self.ephemeral = ephemeral
    self.signed = signed
    self.oneTime = oneTime
  }

  init(from reader: inout WireReader) throws(WireError) {
    ephemeral = InitiationPublicKey(try reader.fixed())
    signed = try reader.u32()
    oneTime = try reader.flag() ? reader.u32() : nil
    guard try reader.u8() == 0 else { throw .malformed }
  }

  package func encode(into writer: inout WireWriter) {
    writer.fixed(ephemeral.raw)
    writer.u32(signed)
    writer.flag(oneTime != nil)
    if let oneTime { writer.u32(oneTime) }
    writer.u8(0)
  }
}

/// One message of a ratchet session, whatever carries it.
///
///     0   version     u8, 1
///     1   session     16 bytes
///     17  initiation  u8: 0, or 1 and an Initiation
///     .   header      40 bytes, a RatchetHeader
///     .   sealed      24 bytes nonce, ciphertext of a Content, 16 bytes tag; to the end
///
/// Authenticated with the ciphertext: the session's binding, and all that stands before `sealed`.
package struct Envelope: Hashable, Sendable {
  package static let version: UInt8 = 1

  package let session: SessionID
  package let initiation: Initiation?
  package let header: RatchetHeader
  package let sealed: [UInt8]

  /// Nonce and tag.
  private static let overhead = XChaChaPoly.nonceLength + aeadTagLength

  package init(session: SessionID, initiation: Initiation?, header: RatchetHeader, sealed: [UInt8]) {
    self.session = session
    self.initiation = initiation
    self.header = header
    self.sealed = sealed
  }

  /// Reads one to the end of the reader.
  package init(from reader: inout WireReader) throws(WireError) {
    guard try reader.u8() == Self.version else { throw .malformed }
    session = try reader.fixed()
    initiation = try reader.flag() ? Initiation(from: &reader) : nil
    header = try RatchetHeader(from: &reader)
    let content = reader.remaining - Self.overhead
    guard content <= Limits.content else { throw .tooLong }
    guard content >= Limits.chatBucket else { throw .truncated }
    guard content % Limits.chatBucket == 0 else { throw .trailing }
    sealed = reader.takeRest().array
  }

  package func encode(into writer: inout WireWriter) {
    Self.encodePrefix(session, initiation, header, into: &writer)
    writer.raw(sealed)
  }

  private static func encodePrefix(
    _ session: SessionID, _ initiation: Initiation?, _ header: RatchetHeader, into writer: inout WireWriter
  ) {
    writer.u8(version)
    writer.fixed(session)
    writer.flag(initiation != nil)
    if let initiation { initiation.encode(into: &writer) }
    header.encode(into: &writer)
  }

  /// The associated data of an envelope's AEAD.
  package static func associated(
    _ binding: FixedBytes<32>, _ session: SessionID, _ initiation: Initiation?, _ header: RatchetHeader
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 160)
    writer.fixed(binding)
    encodePrefix(session, initiation, header, into: &writer)
    return writer.bytes
  }
}
