import SecchatText
import Testing

@Suite struct FoldedTextTests {
  @Test(arguments: [
    ("Grüße aus Köln", "grusse"), ("Grüße aus Köln", "KOLN"), ("naïve café", "CAFE"),
    ("ÅNGSTRÖM", "angstrom"),
    ("Ünïcödé", "e\u{301}"), ("ﬁle", "FILE"), ("ΣΊΣΥΦΟΣ", "σισυφος"), ("İstanbul", "istanbul"),
    ("plain ASCII", "ascii"), ("ПРИВЕТ", "привет"), ("日本語", "本"), ("x", ""),
  ])
  func `is found`(text: String, word: String) {
    #expect(FoldedText(text).contains(FoldedText(word)))
  }

  @Test(arguments: [("Grüße", "grüsze"), ("abc", "abcd"), ("", "a"), ("a b", "ab")])
  func `is not found`(text: String, word: String) {
    #expect(!FoldedText(text).contains(FoldedText(word)))
  }
}
