import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Key agreements of another implementation, from both sides.
@Suite struct X3DHVectorTests {
  private struct Case: Decodable {
    let hash: String
    let info: HexBytes
    let ikAPrivate: HexBytes
    let ikAPublic: HexBytes
    let ekAPrivate: HexBytes?
    let ekAPublic: HexBytes
    let ikBPrivate: HexBytes
    let ikBPublic: HexBytes
    let spkBPrivate: HexBytes
    let spkBPublic: HexBytes
    let opkBPrivate: HexBytes?
    let opkBPublic: HexBytes?
    let sharedSecret: HexBytes
  }

  @Test func `every published agreement`() throws {
    for file in try Vectors.files("x3dh") { try check(file) }
  }

  @Test func `the project's own agreements`() throws {
    let path = "Tests/SecchatCoreTests/Fixtures/x3dh.json"
    let data = try Data(contentsOf: Vectors.packageRoot.appending(path: path))
    try check(VectorFile(topic: "x3dh", name: "x3dh.json", data: data))
  }

  private func key<Purpose>(_ bytes: HexBytes) throws -> AgreementPublicKey<Purpose> {
    AgreementPublicKey(try #require(FixedBytes<32>(bytes.bytes)))
  }

  private func secret<Purpose>(_ bytes: HexBytes) throws -> AgreementPrivateKey<Purpose> {
    try AgreementPrivateKey(SecretBytes(copying: bytes.bytes.raw))
  }

  private func bytes(_ root: RootKey) -> [UInt8] { root.bytesForTestingOnly() }

  private func check(_ file: VectorFile) throws {
    var tally = VectorTally(file)
    for test in try file.decode([Case].self) {
      guard test.hash == "SHA256" else {
        tally.skip("of another hash")
        continue
      }
      let identity: AgreementPrivateKey<MessagingPurpose> = try secret(test.ikBPrivate)
      #expect(identity.publicKey.raw.array == test.ikBPublic.bytes)
      let prekeys = PrekeySecrets(
        signed: SignedPrekeySecret(try secret(test.spkBPrivate)),
        oneTime: try test.opkBPrivate.map { OneTimePrekeySecret(try secret($0)) })
      let answered = try X3DH.respond(
        identity: identity, prekeys: prekeys, theirIdentity: key(test.ikAPublic),
        ephemeral: key(test.ekAPublic), info: test.info.bytes)
      #expect(bytes(answered) == test.sharedSecret.bytes)
      try checkOurOwnInitiator(test, prekeys, identity)
      tally.run()
    }
    try tally.report()
  }

  /// The initiator's half: with the published ephemeral key where it is known, else with one of ours against the half that
  /// was checked.
  private func checkOurOwnInitiator(
    _ test: Case, _ prekeys: PrekeySecrets, _ responder: borrowing AgreementPrivateKey<MessagingPurpose>
  ) throws {
    let identity: AgreementPrivateKey<MessagingPurpose> = try secret(test.ikAPrivate)
    let ephemeral: AgreementPrivateKey<InitiationPurpose> =
      try test.ekAPrivate.map { try secret($0) } ?? .random()
    let begun = try X3DH.initiate(
      identity: identity, ephemeral: ephemeral, theirIdentity: key(test.ikBPublic),
      signed: key(test.spkBPublic), oneTime: test.opkBPublic.map { try key($0) }, info: test.info.bytes)
    let answered = try X3DH.respond(
      identity: responder, prekeys: prekeys, theirIdentity: identity.publicKey,
      ephemeral: ephemeral.publicKey, info: test.info.bytes)
    #expect(bytes(begun) == bytes(answered))
    if test.ekAPrivate != nil { #expect(bytes(begun) == test.sharedSecret.bytes) }
  }
}
