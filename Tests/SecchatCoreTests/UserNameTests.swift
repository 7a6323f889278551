import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct UserNameTests {
  @Test(arguments: ["bob", "a.b", "a-b", "_ab", "0-9", "abcdefghijklmnopqrstuvwxyz.01-_9", "a..", "x--"])
  func `what a name may be`(_ text: String) {
    #expect(UserName(text)?.text == text)
  }

  @Test(arguments: [
    "", "a", "ab", "abcdefghijklmnopqrstuvwxyz.01-_9x", ".ab", "-ab", "a b", " ab", "ab ", "a/b", "a\\b",
    "a@b",
    "a:b", "\u{e4}bc", "abc\u{0}", "abc\n", "abc\r\n", "ab\u{301}", "\u{212a}bc", "\u{ff41}bc", "a\u{200b}bc",
    "\u{430}bc", "abc\u{202e}",
  ])
  func `what a name may not be`(_ text: String) {
    #expect(UserName(text) == nil)
  }

  @Test func `upper case is folded at the edge`() {
    #expect(UserName("Alice") == UserName("alice"))
    #expect(UserName("ALICE")?.text == "alice")
    #expect(UserName("Z[Z") == nil)
  }

  @Test func `names are in the order of their bytes`() throws {
    let names = ["-x", "a-a", "a.a", "a0a", "a_a", "aaa", "aab"].compactMap { UserName($0) }
    #expect(names.count == 6)
    #expect(names.sorted() == names)
    #expect(names == names.sorted { Array($0.text.utf8).lexicographicallyPrecedes(Array($1.text.utf8)) })
  }

  @Test func `an account has one form`() throws {
    let encoded = Users.aliceAccount.encoded
    #expect(encoded.count == 32 + 1 + 5)
    func read(_ bytes: [UInt8]) throws(WireError) -> Account {
      var reader = WireReader(bytes.raw)
      let account = try Account(from: &reader)
      try reader.end()
      return account
    }
    #expect(try read(encoded) == Users.aliceAccount)
    for count in encoded.indices {
      #expect(throws: WireError.truncated) { try read(Array(encoded[..<count])) }
    }
    #expect(throws: WireError.trailing) { try read(encoded + [0]) }
    checkCanonical(encoded) { bytes throws(WireError) in try read(bytes).encoded }
  }

  @Test func `an account is its name and its registry`() {
    let other = Account(name: Users.aliceAccount.name, registry: Users.alice.link.publicKey)
    #expect(other != Users.aliceAccount)
    #expect(Users.bobAccount != Users.aliceAccount)
  }
}
