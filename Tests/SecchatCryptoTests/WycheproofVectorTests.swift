import SecchatCrypto
import TestSupport
import Testing

@Suite struct WycheproofVectorTests {
  private typealias Case = WycheproofFile.Case
  private typealias Group = WycheproofFile.Group

  @Test func `every file of Wycheproof`() throws {
    for file in try Vectors.files("wycheproof") {
      let content = try file.decode(WycheproofFile.self)
      var tally = VectorTally(file)
      for group in content.testGroups {
        for test in group.tests {
          if let reason = try check(test, group, algorithm(content, file)) {
            tally.skip(reason)
          } else {
            tally.run()
          }
        }
      }
      try tally.report()
    }
  }

  /// The algorithm's name in capitals and digits, out of the file or, failing that, its name.
  private func algorithm(_ content: WycheproofFile, _ file: VectorFile) -> String {
    let name = content.algorithm ?? String(file.name.split(separator: "_test")[0])
    return name.uppercased().filter { $0.isLetter || $0.isNumber }
  }

  /// Checks a case, or says why not.
  private func check(_ test: Case, _ group: Group, _ algorithm: String) throws -> String? {
    switch algorithm {
    case "XDH", "X25519":
      if let curve = group.curve, curve != "curve25519" { return "on \(curve)" }
      try checkAgreement(test)
    case "EDDSA", "ED25519":
      if let curve = group.publicKey?.curve, curve != "edwards25519" { return "on \(curve)" }
      try checkSignature(test, key: try #require(group.publicKey).pk.bytes)
    case "CHACHA20POLY1305":
      try checkAEAD(test, Sealer<ChaChaPoly>.seal, Sealer<ChaChaPoly>.open)
    case "XCHACHA20POLY1305":
      try checkAEAD(test, Sealer<XChaChaPoly>.seal, Sealer<XChaChaPoly>.open)
    case "HMACSHA256": try checkMAC(test, bits: group.tagSize, HMAC<SHA256>.array)
    case "HMACSHA512": try checkMAC(test, bits: group.tagSize, HMAC<SHA512>.array)
    case "HKDFSHA256": try checkKDF(test, HKDF<SHA256>.array)
    case "HKDFSHA512": try checkKDF(test, HKDF<SHA512>.array)
    default: return "of \(algorithm)"
    }
    return nil
  }

  /// An all-zero secret is refused, though Wycheproof calls it acceptable; all else must come out as written, also on
  /// the twist and for keys written uncanonically.
  private func checkAgreement(_ test: Case) throws {
    let expected = try #require(test.shared).bytes
    let isZero = test.flags?.contains("ZeroSharedSecret") == true || !expected.contains { $0 != 0 }
    let result = try agree(try #require(test.private).bytes, try #require(test.public).bytes)
    if isZero || test.result == .invalid {
      #expect(result == nil, "tcId \(test.tcId)")
    } else {
      #expect(result == expected, "tcId \(test.tcId)")
    }
  }

  private func agree(_ secret: [UInt8], _ key: [UInt8]) throws -> [UInt8]? {
    guard let raw = FixedBytes<32>(key), secret.count == 32 else { return nil }
    let pair = try AgreementPrivateKey<MessagingPurpose>(SecretBytes(secret))
    do throws(CryptoError) {
      let secret = try pair.sharedSecret(with: AgreementPublicKey<MessagingPurpose>(raw))
      return secret.bytes.array
    } catch {
      #expect(error == .authenticationFailed)
      return nil
    }
  }

  private func checkSignature(_ test: Case, key: [UInt8]) throws {
    var verified = false
    if let raw = FixedBytes<32>(key), let signature = SignatureBytes(try #require(test.sig).bytes) {
      let message = try #require(test.msg).bytes
      verified = SigningPublicKey<IdentityPurpose>(raw).verifiesBare(signature, message: message.raw)
    }
    #expect(verified == (test.result == .valid), "tcId \(test.tcId)")
  }

  private typealias Seal = (_ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ data: [UInt8]) -> [UInt8]?

  private func checkAEAD(_ test: Case, _ seal: Seal, _ open: Seal) throws {
    let plaintext = try #require(test.msg).bytes
    let sealed = try #require(test.ct).bytes + (try #require(test.tag).bytes)
    let (key, nonce) = (try #require(test.key).bytes, try #require(test.iv).bytes)
    let data = test.aad?.bytes ?? []
    if test.result == .invalid {
      #expect(open(sealed, key, nonce, data) == nil, "tcId \(test.tcId)")
      let resealed = seal(plaintext, key, nonce, data)
      #expect(resealed != sealed, "tcId \(test.tcId)")
      if test.flags?.contains("InvalidNonceSize") == true { #expect(resealed == nil) }
    } else {
      #expect(open(sealed, key, nonce, data) == plaintext, "tcId \(test.tcId)")
      #expect(seal(plaintext, key, nonce, data) == sealed, "tcId \(test.tcId)")
    }
  }

  private func checkMAC(
    _ test: Case, bits: Int?, _ mac: (_ message: [UInt8], _ key: [UInt8]) -> [UInt8]
  ) throws {
    let tag = try #require(test.tag).bytes
    let computed = mac(try #require(test.msg).bytes, try #require(test.key).bytes)
    let length = bits.map { $0 / 8 } ?? tag.count
    let holds = tag.count == length && ConstantTime.equal([UInt8](computed.prefix(length)).raw, tag.raw)
    #expect(holds == (test.result != .invalid), "tcId \(test.tcId)")
  }

  private typealias Derive = (_ key: [UInt8], _ salt: [UInt8], _ info: [UInt8], _ count: Int) -> [UInt8]?

  private func checkKDF(_ test: Case, _ derive: Derive) throws {
    let output = derive(
      try #require(test.ikm).bytes, test.salt?.bytes ?? [], test.info?.bytes ?? [], try #require(test.size))
    if test.result == .invalid {
      #expect(output == nil, "tcId \(test.tcId)")
    } else {
      #expect(output == (try #require(test.okm).bytes), "tcId \(test.tcId)")
    }
  }
}
