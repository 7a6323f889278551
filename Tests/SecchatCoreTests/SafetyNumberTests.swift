import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct SafetyNumberTests {
  private typealias Side = (account: Account, key: IdentityPublicKey)
  private let alice: Side = (Users.aliceAccount, Users.alice.identity.publicKey)
  private let bob: Side = (Users.bobAccount, Users.bob.identity.publicKey)

  @Test func `both sides see the same 60 digits`() {
    let number = SafetyNumber(alice, bob)
    #expect(number == SafetyNumber(bob, alice))
    #expect(number.digits.count == 60 && number.digits.allSatisfy { "0"..."9" ~= $0 })
    let groups = number.description.split(separator: " ")
    #expect(groups.count == 12 && groups.allSatisfy { $0.count == 5 })
    #expect(groups.joined() == number.digits)
  }

  @Test func `name, registry and key each change it`() {
    let number = SafetyNumber(alice, bob)
    let renamed = Account(name: must(UserName("alicf")), registry: Users.registry)
    #expect(SafetyNumber((renamed, alice.key), bob) != number)
    let elsewhere = Account(name: alice.account.name, registry: Users.bob.link.publicKey)
    #expect(SafetyNumber((elsewhere, alice.key), bob) != number)
    #expect(SafetyNumber((alice.account, Users.bob.identity.publicKey), bob) != number)
    #expect(SafetyNumber((bob.account, alice.key), (alice.account, bob.key)) != number, "names exchanged")
  }

  @Test func `it matches as people write it, and nothing else does`() {
    let number = SafetyNumber(alice, bob)
    #expect(number.matches(number.digits))
    #expect(number.matches(number.description))
    #expect(number.matches(number.description.replacing(" ", with: "\n")))
    #expect(number.matches("  " + number.description.replacing(" ", with: "-") + "\r\n"))
    let digits = Array(number.digits)
    for index in digits.indices {
      var changed = digits
      changed[index] = digits[index] == "0" ? "1" : "0"
      #expect(!number.matches(String(changed)))
    }
    for wrong in ["", "0", String(digits.dropLast()), String(digits) + "0", "x" + String(digits.dropFirst())]
    {
      #expect(!number.matches(wrong))
    }
    #expect(!number.matches(String(digits[30...] + digits[..<30])))
  }

  /// From the tests of libsignal.
  @Test func `a published number`() {
    let keyA = [UInt8](hex: "0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868")
    let keyB = [UInt8](hex: "05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b")
    let number = NumericFingerprint.display(
      idA: Array("+14152222222".utf8), keyA: keyA, idB: Array("+14153333333".utf8), keyB: keyB)
    #expect(number == "300354477692869396892869876765458257569162576843440918079131")
  }
}
