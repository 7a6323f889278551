import SecchatCrypto
import TestSupport
import Testing

/// The figures that the standards print, so that a bare clone tests itself.
@Suite struct PublishedFigureTests {
  private func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

  private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

  // MARK: - Hash functions

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `SHA-256, FIPS 180-4`(message: String, digest: String) {
    let message = text(message)
    let computed = SHA256.hash(message.raw)
    #expect(Hex.encode(computed) == digest)
  }

  @Test(arguments: [
    (
      "abc",
      """
      ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
      """
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
        + "nopqrstu",
      """
      8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
      501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909
      """
    ),
  ])
  func `SHA-512, FIPS 180-4`(message: String, digest: String) {
    let message = text(message)
    let computed = SHA512.hash(message.raw)
    #expect(computed == [UInt8](hex: digest))
  }

  @Test func `BLAKE2b, RFC 7693 appendix A`() {
    let digest = [UInt8](
      hex: """
        ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1
        7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923
        """)
    let message = text("abc")
    let long = BLAKE2b.hash(message.raw)
    #expect(long == digest)
    // The shorter digest is another function; this figure is Python's hashlib.
    let short = BLAKE2b.hash256(message.raw)
    #expect(short.description == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
  }

  /// The million times `a` of FIPS 180-4, in parts of a thousand and of one that ends in the middle of a block.
  @Test func `input in parts`() {
    var sha256 = SHA256()
    var sha512 = SHA512()
    var blake2b = BLAKE2b()
    for count in repeatElement(1_000, count: 999) + [1, 0, 999] {
      let part = repeated(0x61, count)
      sha256.update(part)
      sha512.update(part)
      blake2b.update(part)
    }
    let results = [sha256.finalize() as [UInt8], sha512.finalize(), blake2b.finalize()]
    #expect(
      results == [
        [UInt8](hex: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        [UInt8](
          hex: """
            e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb
            de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b
            """),
        [UInt8](
          hex: """
            98fb3efb7206fd19ebf69b6f312cf7b64e3b94dbe1a17107913975a793f177e1
            d077609d7fba363cbba00d05f7aa4e4fa8715d6428104c0a75643b0ff3fd3eaf
            """),
      ])
  }

  // MARK: - HMAC and HKDF

  @Test func `HMAC, RFC 4231`() {
    let large = "Test Using Larger Than Block-Size Key - Hash Key First"
    let larger =
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
      + "hashed before being used by the HMAC algorithm."
    let cases: [(key: [UInt8], message: [UInt8], sha256: String, sha512: String)] = [
      (
        repeated(0x0b, 20), text("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        """
        87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
        daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854
        """
      ),
      (
        text("Jefe"), text("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        """
        164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
        9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737
        """
      ),
      (
        repeated(0xaa, 20), repeated(0xdd, 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        """
        fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39
        bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb
        """
      ),
      (
        Array(1...25), repeated(0xcd, 50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        """
        b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db
        a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd
        """
      ),
      (
        repeated(0xaa, 131), text(large),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        """
        80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352
        6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598
        """
      ),
      (
        repeated(0xaa, 131), text(larger),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        """
        e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944
        b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58
        """
      ),
    ]
    for test in cases {
      #expect(HMAC<SHA256>.array(test.message, key: test.key) == [UInt8](hex: test.sha256))
      #expect(HMAC<SHA512>.array(test.message, key: test.key) == [UInt8](hex: test.sha512))
    }
  }

  @Test func `HKDF, RFC 5869 appendix A`() {
    let cases: [(key: [UInt8], salt: [UInt8], info: [UInt8], output: String)] = [
      (
        repeated(0x0b, 22), Array(0...12), Array(0xf0...0xf9),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
      ),
      (
        Array(0x00...0x4f), Array(0x60...0xaf), Array(0xb0...0xff),
        """
        b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
        da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
        """
      ),
      (
        repeated(0x0b, 22), [], [],
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
      ),
    ]
    for test in cases {
      let expected = [UInt8](hex: test.output)
      let output = HKDF<SHA256>.array(test.key, salt: test.salt, info: test.info, count: expected.count)
      #expect(output == expected)
    }
  }

  // MARK: - Keys

  @Test(arguments: [
    (
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    ),
    (
      "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
    ),
    (
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    ),
  ])
  func `X25519, RFC 7748 sections 5.2 and 6.1`(secret: String, key: String, shared: String) throws {
    #expect(try agree([UInt8](hex: secret), [UInt8](hex: key)) == [UInt8](hex: shared))
  }

  @Test func `X25519 a thousand times over, RFC 7748 section 5.2`() throws {
    var (scalar, point) = ([9] + repeated(0, 31), [9] + repeated(0, 31))
    for round in 1...1_000 {
      (scalar, point) = (try agree(scalar, point), scalar)
      if round == 1 {
        #expect(
          Hex.encode(scalar) == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")
      }
    }
    #expect(Hex.encode(scalar) == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")
  }

  @Test func `an X25519 public key, RFC 7748 section 6.1`() throws {
    let secret = [UInt8](hex: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    let pair = try AgreementPrivateKey<LinkPurpose>(SecretBytes(secret))
    let expected = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    #expect(pair.publicKey.raw.description == expected)
  }

  private func agree(_ secret: [UInt8], _ key: [UInt8]) throws -> [UInt8] {
    let pair = try AgreementPrivateKey<LinkPurpose>(SecretBytes(secret))
    let raw: FixedBytes<32>? = FixedBytes(key)
    let shared = try pair.sharedSecret(with: AgreementPublicKey<LinkPurpose>(try #require(raw)))
    return shared.bytes.array
  }

  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      """
      e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555
      fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
      """
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      """
      92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
      085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
      """
    ),
    (
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      """
      6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
      18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
      """
    ),
  ])
  func `Ed25519, RFC 8032 section 7.1`(seed: String, key: String, message: String, signature: String) throws {
    let pair = try SigningPrivateKey<IdentityPurpose>(seed: SecretBytes([UInt8](hex: seed)))
    #expect(pair.publicKey.raw.description == key)
    let message = [UInt8](hex: message)
    let signed = pair.signBare(message.raw)
    #expect(signed.array == [UInt8](hex: signature))
  }

  // MARK: - Ciphers

  private let sunscreen = """
    Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.
    """

  @Test func `ChaCha20-Poly1305, RFC 8439 section 2.8.2`() {
    let expected = [UInt8](
      hex: """
        d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
        1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
        3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691
        """)
    let (key, nonce) = ([UInt8](0x80...0x9f), [UInt8](hex: "070000004041424344454647"))
    let data = [UInt8](hex: "50515253c0c1c2c3c4c5c6c7")
    #expect(Sealer<ChaChaPoly>.seal(text(sunscreen), key, nonce, data) == expected)
    #expect(Sealer<ChaChaPoly>.open(expected, key, nonce, data) == text(sunscreen))
  }

  @Test func `XChaCha20-Poly1305, draft-irtf-cfrg-xchacha appendix A.3`() {
    let expected = [UInt8](
      hex: """
        bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39
        ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
        21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49
        """)
    let (key, nonce) = ([UInt8](0x80...0x9f), [UInt8](0x40...0x57))
    let data = [UInt8](hex: "50515253c0c1c2c3c4c5c6c7")
    #expect(Sealer<XChaChaPoly>.seal(text(sunscreen), key, nonce, data) == expected)
    #expect(Sealer<XChaChaPoly>.open(expected, key, nonce, data) == text(sunscreen))
  }

  /// RFC 9106 prints figures for four lanes, a secret and associated data, none of which libsodium offers: these come
  /// from the reference implementation through argon2-cffi 25.1.
  @Test(arguments: [
    (1, 64, "correct horse", "25ce5233cc1e4d37e9bca31bfef41710e40446cd1cb575932791c5fd3780bd3c"),
    (3, 1_024, "", "55cbc0bb08083e133dac010f5480bd2aa3c96d2811000b9629e9895f1fa0ef1e"),
    (2, 8_192, "pässword", "cdae5c51440ec9977443b4662e067a2c016567aa5e21d3dba3b64e0cedc3fade"),
  ])
  func `Argon2id of one lane`(passes: UInt32, kibibytes: UInt32, passphrase: String, hash: String) throws {
    let salt: FixedBytes<16>? = FixedBytes([UInt8](0..<16))
    let passphrase = text(passphrase)
    let derived = try PasswordHash.derive(
      passphrase: passphrase.raw, salt: try #require(salt),
      cost: PasswordHash.Cost(passes: passes, kibibytes: kibibytes))
    let bytes = derived.bytes.array
    #expect(Hex.encode(bytes) == hash)
  }
}
