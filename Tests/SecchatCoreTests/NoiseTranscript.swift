import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// A Noise session written down, in the form of the cacophony and snow vectors.
struct NoiseTranscript: Decodable, Sendable {
  struct Message: Decodable, Sendable {
    let payload: HexBytes
    let ciphertext: HexBytes
  }

  let protocolName: String
  let initPrologue: HexBytes?
  let initStatic: HexBytes?
  let initEphemeral: HexBytes?
  let initRemoteStatic: HexBytes?
  let initPsks: [HexBytes]?
  let respPrologue: HexBytes?
  let respStatic: HexBytes?
  let respEphemeral: HexBytes?
  let respRemoteStatic: HexBytes?
  let respPsks: [HexBytes]?
  let handshakeHash: HexBytes?
  let messages: [Message]
  /// Both sides rekey both directions before the message with this index (in our own transcripts only).
  let rekeyBefore: Int?

  /// Why the transcript is beyond what secchat implements; decided from the name alone, apart from our parser, so that
  /// a parser that refuses too much fails.
  var reasonToSkip: String? {
    let parts = protocolName.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, parts[0] == "Noise" else { return "of another kind of name" }
    if parts[2] != "25519" { return "with DH \(parts[2])" }
    if parts[3] != "ChaChaPoly" { return "with cipher \(parts[3])" }
    if !["SHA256", "SHA512", "BLAKE2b"].contains(parts[4]) { return "with hash \(parts[4])" }
    for modifier in ["fallback", "hfs", "noidh"] where parts[1].contains(modifier) {
      return "with modifier \(modifier)"
    }
    return nil
  }

  /// Runs both sides against the transcript.
  func check() throws {
    let name = try ProtocolName(protocolName)
    #expect(name.text == protocolName)
    switch name.hash {
    case .sha256: try Replay<SHA256>(pattern: name.pattern).run(self)
    case .sha512: try Replay<SHA512>(pattern: name.pattern).run(self)
    case .blake2b: try Replay<BLAKE2b>(pattern: name.pattern).run(self)
    }
  }
}

private struct Replay<Hash: HashFunction & ~Copyable> {
  let pattern: HandshakePattern

  func run(_ transcript: NoiseTranscript) throws {
    let initiator = try party(
      .initiator, prologue: transcript.initPrologue, static: transcript.initStatic,
      ephemeral: transcript.initEphemeral, remote: transcript.initRemoteStatic, psks: transcript.initPsks)
    let responder = try party(
      .responder, prologue: transcript.respPrologue, static: transcript.respStatic,
      ephemeral: transcript.respEphemeral, remote: transcript.respRemoteStatic, psks: transcript.respPsks)
    try #require(transcript.messages.count >= pattern.messages.count)
    for (index, message) in transcript.messages.enumerated() {
      if index == transcript.rekeyBefore {
        for party in [initiator, responder] {
          party.rekeySending()
          party.rekeyReceiving()
        }
      }
      let fromInitiator = pattern.isOneWay || index.isMultiple(of: 2)
      let (writer, reader) = fromInitiator ? (initiator, responder) : (responder, initiator)
      let written = try writer.write(message.payload.bytes)
      #expect(written == message.ciphertext.bytes, "\(transcript.protocolName), message \(index)")
      let read = try reader.read(message.ciphertext.bytes)
      #expect(read == message.payload.bytes, "\(transcript.protocolName), message \(index)")
    }
    let hash = try #require(initiator.handshakeHash)
    #expect(responder.handshakeHash == hash)
    if let expected = transcript.handshakeHash {
      #expect(hash == expected.bytes, "\(transcript.protocolName)")
    }
  }

  private func party(
    _ role: HandshakePattern.Role, prologue: HexBytes?, static: HexBytes?, ephemeral: HexBytes?,
    remote: HexBytes?, psks: [HexBytes]?
  ) throws -> NoiseParty<Hash> {
    var key: AgreementPrivateKey<EphemeralPurpose>?
    if let ephemeral { key = try AgreementPrivateKey(SecretBytes(ephemeral.bytes)) }
    // Files may give keys that the pattern has no use for; we refuse to be given them.
    let knowsRemote = role == .initiator ? pattern.responderIsKnown : pattern.initiatorIsKnown
    let pair =
      pattern.needsStatic(role) ? try LinkKeyPair(bytes: try #require(`static`).bytes) : nil
    let remoteKey = knowsRemote ? FixedBytes<32>(try #require(remote).bytes) : nil
    return NoiseParty(
      try HandshakeState<Hash>.withFixedEphemeralForTestingOnly(
        key, pattern: pattern, role: role, prologue: prologue?.bytes ?? [], static: pair,
        remoteStatic: remoteKey.map(AgreementPublicKey.init),
        presharedKeys: try (psks ?? []).map { try PresharedKey(SecretBytes($0.bytes)) }))
  }
}
