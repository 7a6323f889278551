import SecchatCore
import SecchatCrypto
import Testing

@Suite struct TextFormTests {
  // MARK: Base32

  @Test(arguments: [
    ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb"),
    ("foobar", "mzxw6ytboi"),
  ])
  func `base32 is RFC 4648's, without padding`(_ plain: String, _ text: String) {
    #expect(Base32.encode(Array(plain.utf8)) == text)
    #expect(Base32.decode(text) == Array(plain.utf8))
    #expect(Base32.decode(text.uppercased()) == Array(plain.utf8))
  }

  @Test(arguments: ["m", "mzx", "mzxw6y", "mz", "mb", "my======", "m1", "m8", "m y", "m\u{ff0d}", "mzxw6yr"])
  func `base32 has one form`(_ text: String) {
    #expect(Base32.decode(text) == nil)
  }

  // MARK: Keys

  private let identity = Users.alice.identity.publicKey
  private let registry = Users.registry

  @Test func `keys are read as they are written`() {
    let text = KeyText.encode(identity)
    #expect(text.hasPrefix("secchat-pub-1") && text.utf8.count == 13 + 56)
    #expect(KeyText.identity(text) == identity)
    let other = KeyText.encode(registry: registry)
    #expect(other.hasPrefix("secchat-registry-1") && other.utf8.count == 18 + 56)
    #expect(KeyText.registry(other) == registry)
  }

  @Test func `a key of one sort is none of the other`() {
    #expect(KeyText.registry(KeyText.encode(identity)) == nil)
    #expect(KeyText.identity(KeyText.encode(registry: registry)) == nil)
    // Nor with the other's prefix: the checksum is over it.
    let moved = "secchat-pub-1" + KeyText.encode(registry: registry).dropFirst(18)
    #expect(KeyText.identity(moved) == nil)
  }

  @Test func `a changed character is refused`() {
    let text = Array(KeyText.encode(identity).utf8)
    for index in text.indices {
      for character: UInt8 in 0x20...0x7e where character != text[index] {
        var changed = text
        changed[index] = character
        let read = KeyText.identity(String(decoding: changed, as: UTF8.self))
        // Base32 is read in either case, which is no change.
        let isCase = index >= 13 && character ^ 0x20 == text[index] && text[index] > 0x60
        #expect(read == (isCase ? identity : nil), "character \(index)")
      }
    }
  }

  @Test func `a character too many, too few, or in another's place is refused`() {
    let text = Array(KeyText.encode(identity))
    for index in text.indices {
      var shorter = text
      shorter.remove(at: index)
      #expect(KeyText.identity(String(shorter)) == nil)
      var longer = text
      longer.insert("a", at: index)
      #expect(KeyText.identity(String(longer)) == nil)
      guard index > 0, text[index] != text[index - 1] else { continue }
      var swapped = text
      swapped.swapAt(index, index - 1)
      #expect(KeyText.identity(String(swapped)) == nil)
    }
    #expect(KeyText.identity("") == nil)
    #expect(KeyText.identity("secchat-pub-1") == nil)
    #expect(KeyText.identity(String(text) + " ") == nil)
    #expect(KeyText.identity(String(text) + "\u{301}") == nil)
  }

  // MARK: Fingerprints

  @Test func `a fingerprint is read as people write it`() {
    let fingerprint = Fingerprint(of: identity)
    let text = fingerprint.description
    let groups = text.split(separator: "-")
    #expect(groups.count == 10 && groups.allSatisfy { $0.count == 4 })
    #expect(Fingerprint(text) == fingerprint)
    #expect(Fingerprint(text.uppercased()) == fingerprint)
    #expect(Fingerprint(groups.joined()) == fingerprint)
    #expect(Fingerprint(groups.joined(separator: " ")) == fingerprint)
  }

  @Test func `a fingerprint is of one key and one use`() {
    let fingerprint = Fingerprint(of: identity)
    #expect(fingerprint != Fingerprint(of: Users.bob.identity.publicKey))
    #expect(fingerprint != Fingerprint(ofRegistry: LinkPublicKey(identity.raw)))
    let text = Array(fingerprint.description)
    for index in text.indices where text[index] != "-" {
      var changed = text
      changed[index] = text[index] == "a" ? "b" : "a"
      #expect(Fingerprint(String(changed)) != fingerprint)
    }
    for wrong in ["", "abcd", String(text.dropLast()), String(text) + "a", String(text.dropLast()) + "1"] {
      #expect(Fingerprint(wrong) == nil)
    }
  }
}
