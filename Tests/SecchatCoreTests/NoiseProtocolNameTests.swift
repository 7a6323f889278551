import SecchatCore
import Testing

@Suite struct NoiseProtocolNameTests {
  @Test func `names of the table come back as they were`() throws {
    for pattern in HandshakePattern.all {
      for hash in ProtocolName.HashName.allCases {
        let name = ProtocolName(pattern: pattern, hash: hash)
        #expect(try ProtocolName(name.text) == name)
      }
    }
    #expect(Set(HandshakePattern.all.map(\.name)).count == 38)
  }

  @Test(arguments: [
    ("", NoiseError.malformedProtocolName),
    ("Noise_XK_25519_ChaChaPoly", .malformedProtocolName),
    ("Noise_XK_25519_ChaChaPoly_SHA256_", .malformedProtocolName),
    ("noise_XK_25519_ChaChaPoly_SHA256", .malformedProtocolName),
    ("Noise__25519_ChaChaPoly_SHA256", .unsupportedPattern),
    ("Noise_xk_25519_ChaChaPoly_SHA256", .unsupportedPattern),
    ("Noise_XK2_25519_ChaChaPoly_SHA256", .unsupportedPattern),
    ("Noise_XXfallback_25519_ChaChaPoly_SHA256", .unsupportedModifier),
    ("Noise_XXpsk4_25519_ChaChaPoly_SHA256", .unsupportedModifier),
    ("Noise_XXpsk1+psk1_25519_ChaChaPoly_SHA256", .unsupportedModifier),
    ("Noise_XXpsk1+_25519_ChaChaPoly_SHA256", .unsupportedModifier),
    ("Noise_XXpsk01_25519_ChaChaPoly_SHA256", .unsupportedModifier),
    ("Noise_XK_448_ChaChaPoly_SHA256", .unsupportedKeyAgreement),
    ("Noise_XK_25519_AESGCM_SHA256", .unsupportedCipher),
    ("Noise_XK_25519_ChaChaPoly_BLAKE2s", .unsupportedHash),
  ])
  func `what is not supported is named`(text: String, error: NoiseError) {
    #expect(throws: error) { try ProtocolName(text) }
  }

  @Test func `modifiers put their token where they say`() throws {
    let pattern = try HandshakePattern(name: "XXpsk0+psk3")
    #expect(pattern.messages == [[.psk, .e], [.e, .ee, .s, .es], [.s, .se, .psk]])
    #expect(pattern.presharedKeyCount == 2)
    #expect(try HandshakePattern(name: "IKpsk2").messages == [[.e, .es, .s, .ss], [.e, .ee, .se, .psk]])
  }
}
