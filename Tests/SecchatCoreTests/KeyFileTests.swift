import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct KeyFileTests {
  private let cost = PasswordHash.Cost(passes: 1, kibibytes: 8)
  private let passphrase = Array("correct horse".utf8)

  private func seal() throws -> KeyFile {
    try KeyFile(sealing: Users.alice, passphrase: passphrase.raw, cost: cost)
  }

  /// What reading and opening ends in; nil for success.
  private func failure(_ text: String, _ passphrase: [UInt8]) -> KeyFile.Failure? {
    refusal(of: try KeyFile(decoding: text).open(passphrase: passphrase.raw))
  }

  @Test func `what was sealed is opened`() throws {
    let text = try seal().encoded
    let file = try KeyFile(decoding: text)
    #expect(file.encoded == text)
    #expect(file.publicKey == Users.alice.identity.publicKey, "readable without the passphrase")
    let secret = try file.open(passphrase: passphrase.raw)
    #expect(secret.identity.publicKey == Users.alice.identity.publicKey)
    #expect(secret.publicDevice == Users.alice.publicDevice)
    // The storage key: what the one seals, the other opens.
    let sealed = secret.storage.sealWithRandomNonce(passphrase.raw, authenticating: RawSpan())
    #expect(try Users.alice.storage.openRow(sealed, authenticating: []) == passphrase)
    // The private halves.
    let bob = Users.bob.link.publicKey
    let ours = try secret.link.privateKey.sharedSecret(with: bob).copied()
    let theirs = try Users.alice.link.privateKey.sharedSecret(with: bob).copied()
    #expect(ours == theirs)
    let message = Array("message".utf8)
    #expect(secret.signing.signBare(message.raw) == Users.alice.signing.signBare(message.raw))
  }

  @Test func `each file is sealed anew`() throws {
    #expect(try seal().encoded != seal().encoded)
  }

  @Test func `another passphrase does not open it`() throws {
    let text = try seal().encoded
    #expect(failure(text, passphrase) == nil)
    for wrong in ["", "correct horse ", "Correct horse", "correct hors"] {
      #expect(failure(text, Array(wrong.utf8)) == .wrongPassphrase)
    }
  }

  @Test func `no secret is in the text`() throws {
    let text = try seal().encoded
    for byte: UInt8 in [1, 2, 3, 4, 5] {
      let trace = Base32.encode([UInt8](repeating: byte, count: 20)).dropFirst(8).dropLast(8)
      #expect(!text.lowercased().contains(trace))
    }
  }

  @Test func `every changed bit is noticed`() throws {
    let text = Array(try seal().encoded.utf8)
    for index in text.indices {
      for bit in 0..<7 {
        var changed = text
        changed[index] ^= 1 << bit
        let result = failure(String(decoding: changed, as: UTF8.self), passphrase)
        #expect(result == .damaged || result == .wrongPassphrase, "byte \(index), bit \(bit)")
      }
    }
  }

  @Test func `a cut or prolonged file is damaged`() throws {
    let text = try seal().encoded
    for count in 0..<text.count { #expect(failure(String(text.prefix(count)), passphrase) == .damaged) }
    for tail in ["\n", " ", "A", "\r", "\n\n", text] { #expect(failure(text + tail, passphrase) == .damaged) }
    #expect(failure("\n" + text, passphrase) == .damaged)
    #expect(failure(text.replacing("\n", with: "\r\n"), passphrase) == .damaged)
    #expect(failure(text.replacing("\n", with: "\n\n"), passphrase) == .damaged)
    #expect(failure(text.uppercased(), passphrase) == .damaged)
    #expect(failure(text.lowercased(), passphrase) == .damaged)
  }

  @Test func `a file is shorter than the most that is read of one`() throws {
    #expect(try seal().encoded.utf8.count < KeyFile.maximumLength)
  }

  // MARK: Forgeries with a good checksum

  /// The file with something else in it, its checksum made good.
  private func forge(
    _ text: String, key: IdentityPublicKey = Users.alice.identity.publicKey, _ change: (inout [UInt8]) -> Void
  ) -> String {
    let line = text.split(separator: "\n")[1]
    var body = must(Base32.decode(line.dropFirst(KeyFile.prefix.count))).dropLast(32).map { $0 }
    change(&body)
    let input = Labels.prefix(Labels.keyFile) + key.raw.array + body
    let blob = body + BLAKE2b.hash256(input.raw).array
    return KeyText.encode(key) + "\n" + KeyFile.prefix + Base32.encode(blob).uppercased() + "\n"
  }

  @Test func `a cost outside the bounds is refused before it is paid`() throws {
    let text = try seal().encoded
    #expect(failure(forge(text) { _ in }, passphrase) == nil, "the forger is right")
    func cost(_ passes: UInt32, _ kibibytes: UInt32) -> KeyFile.Failure? {
      let forged = forge(text) { body in
        body.replaceSubrange(
          0..<8,
          with: WireWriter.bytes {
            $0.u32(passes)
            $0.u32(kibibytes)
          })
      }
      return refusal(of: try KeyFile(decoding: forged))
    }
    for (passes, kibibytes) in [(0, 8), (65, 8), (.max, 8), (1, 0), (1, 7), (1, 4_194_305), (1, .max)]
      as [(UInt32, UInt32)]
    {
      #expect(cost(passes, kibibytes) == .damaged, "\(passes), \(kibibytes)")
    }
    for (passes, kibibytes) in [(1, 8), (64, 8), (1, 4_194_304)] as [(UInt32, UInt32)] {
      #expect(cost(passes, kibibytes) == nil, "\(passes), \(kibibytes)")
    }
  }

  @Test func `a cheaper cost or another salt opens nothing`() throws {
    let text = try KeyFile(
      sealing: Users.alice, passphrase: passphrase.raw, cost: PasswordHash.Cost(passes: 2, kibibytes: 8)
    ).encoded
    #expect(failure(text, passphrase) == nil)
    #expect(failure(forge(text) { $0[3] = 1 }, passphrase) == .wrongPassphrase)
    #expect(failure(forge(text) { $0[8] ^= 1 }, passphrase) == .wrongPassphrase)
  }

  @Test func `another public key above the same secret opens nothing`() throws {
    let text = try seal().encoded
    #expect(failure(forge(text, key: Users.bob.identity.publicKey) { _ in }, passphrase) == .wrongPassphrase)
  }

  @Test func `every changed byte of what is sealed opens nothing`() throws {
    let text = try seal().encoded
    for index in 24..<236 {
      #expect(failure(forge(text) { $0[index] ^= 0x10 }, passphrase) == .wrongPassphrase, "byte \(index)")
    }
  }
}
