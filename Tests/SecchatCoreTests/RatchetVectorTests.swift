import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Conversations that another implementation has held, replayed from both sides.
@Suite struct RatchetVectorTests {
  private struct Transcript: Decodable {
    let rootKdf: String
    let aead: String
    let sharedSecret: HexBytes
    let responderInitialRatchetPrivate: HexBytes
    let associatedData: HexBytes
    let ratchetPrivateKeys: [String: HexBytes]
    let events: [Event]
  }

  private struct Event: Decodable {
    let op: String
    let by: String
    let index: Int?
    let header: Header?
    let plaintext: HexBytes?
    let ciphertext: HexBytes?
  }

  private struct Header: Decodable {
    let ratchetPub: HexBytes
    let pn: UInt32
    let n: UInt32
  }

  /// What the transcripts were made with.
  private enum Suite: RatchetSuite {
    static let rootInfo = Array("secchat-test-root".utf8)
    private static let nonce = [UInt8](repeating: 0, count: ChaChaPoly.nonceLength)

    static func seal(
      _ plaintext: RawSpan, with key: consuming MessageKey, authenticating data: RawSpan
    ) -> [UInt8] {
      var sealed = [UInt8](repeating: 0, count: plaintext.byteCount + aeadTagLength)
      let key: AEADKey<ChaChaPoly> = key.take()
      do throws(CryptoError) {
        try sealed.withMutableRaw { (span: inout MutableRawSpan) throws(CryptoError) in
          try key.seal(plaintext, into: &span, nonce: nonce.raw, authenticating: data)
        }
      } catch { preconditionFailure("the lengths are right") }
      return sealed
    }

    static func open(
      _ sealed: RawSpan, with key: borrowing MessageKey, authenticating data: RawSpan
    ) throws(CryptoError) -> SecretBytes {
      guard sealed.byteCount >= aeadTagLength else { throw .wrongLength }
      var opened = SecretBytes(count: sealed.byteCount - aeadTagLength)
      let key: AEADKey<ChaChaPoly> = key.duplicate()
      var span = opened.mutableBytes
      try key.open(sealed, into: &span, nonce: nonce.raw, authenticating: data)
      return opened
    }
  }

  @Test func `every published conversation`() throws {
    for file in try Vectors.files("double_ratchet") { try check(file) }
  }

  @Test func `the project's own conversations`() throws {
    let path = "Tests/SecchatCoreTests/Fixtures/double-ratchet.json"
    let data = try Data(contentsOf: Vectors.packageRoot.appending(path: path))
    try check(VectorFile(topic: "double_ratchet", name: "double-ratchet.json", data: data))
  }

  private func check(_ file: VectorFile) throws {
    var tally = VectorTally(file)
    for transcript in try file.decode([Transcript].self) {
      guard transcript.rootKdf.contains("secchat-test-root"), transcript.aead.hasPrefix("ChaCha20-Poly1305")
      else {
        tally.skip("of another suite")
        continue
      }
      try replay(transcript)
      tally.run()
    }
    try tally.report()
  }

  private func pair(_ bytes: [UInt8]) throws -> RatchetKeyPair {
    RatchetKeyPair(try AgreementPrivateKey(SecretBytes(copying: bytes.raw)))
  }

  private func replay(_ transcript: Transcript) throws {
    func root() -> RootKey { RootKey(SecretBytes(copying: transcript.sharedSecret.bytes.raw)) }
    let responder = try pair(transcript.responderInitialRatchetPrivate.bytes)
    var sides = [
      "A": RatchetState<Suite>(initiator: root(), theirs: responder.publicKey),
      "B": RatchetState<Suite>(responder: root(), ours: responder),
    ]
    for event in transcript.events {
      let message = event.op == "send" ? event : transcript.events[try #require(event.index)]
      let expected = try #require(message.header)
      let key = RatchetPublicKey(try #require(FixedBytes<32>(expected.ratchetPub.bytes)))
      let header = RatchetHeader(key: key, previous: expected.pn, number: expected.n)
      let (plaintext, ciphertext) = (try #require(message.plaintext), try #require(message.ciphertext))
      func associated(_ header: RatchetHeader) -> [UInt8] {
        var writer = WireWriter()
        writer.raw(transcript.associatedData.bytes)
        header.encode(into: &writer)
        return writer.bytes
      }
      var side = try #require(sides[event.by])
      if event.op == "send" {
        let secret = try #require(transcript.ratchetPrivateKeys[Hex.encode(expected.ratchetPub.bytes)])
        let fresh = try pair(secret.bytes)
        let made = try side.seal(plaintext.bytes.raw, authenticating: associated, makeKey: { fresh })
        #expect(made.header == header)
        #expect(made.sealed == ciphertext.bytes)
      } else {
        for index in [0, ciphertext.bytes.count - 1] {
          var changed = ciphertext.bytes
          changed[index] ^= 1
          #expect(throws: RatchetError.undecryptable) {
            _ = try side.open(header, changed.raw, authenticating: associated(header).raw)
          }
        }
        let opened = try side.open(header, ciphertext.bytes.raw, authenticating: associated(header).raw)
        #expect(opened.withBytes { $0.array } == plaintext.bytes)
        #expect(throws: RatchetError.undecryptable, "opened twice") {
          _ = try side.open(header, ciphertext.bytes.raw, authenticating: associated(header).raw)
        }
      }
      sides[event.by] = side
    }
  }
}
