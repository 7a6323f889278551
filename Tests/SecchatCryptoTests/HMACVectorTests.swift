import SecchatCrypto
import TestSupport
import Testing

@Suite struct HMACVectorTests {
  private struct Case: Decodable {
    let key: HexBytes
    let message: HexBytes
    let hmacBlake2B: HexBytes?
    let hmacBlake2S: HexBytes?
  }

  @Test func `every file of HMAC over BLAKE2`() throws {
    for file in try Vectors.files("hmac_blake2") {
      var tally = VectorTally(file)
      for test in try file.decode([Case].self) {
        if let expected = test.hmacBlake2B {
          #expect(HMAC<BLAKE2b>.array(test.message.bytes, key: test.key.bytes) == expected.bytes)
          tally.run()
        }
        if test.hmacBlake2S != nil { tally.skip("with BLAKE2s") }
      }
      try tally.report()
    }
  }
}
