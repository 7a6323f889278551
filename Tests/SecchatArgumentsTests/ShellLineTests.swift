import SecchatArguments
import Testing

@Suite struct ShellLineTests {
  @Test(
    arguments: [
      ("", []), ("   ", []), ("a b", ["a", "b"]), ("  a\t b  ", ["a", "b"]),
      (#"'a b' "c d""#, ["a b", "c d"]), (#"a'b c'd"e"f"#, ["ab cdef"]), (#"'' """#, ["", ""]),
      (#"a\ b \'"#, ["a b", "'"]), (#""x\"y\\z\n""#, [#"x"y\z\n"#]), (#"'\'"#, [#"\"#]), ("é 👩‍🚀", ["é", "👩‍🚀"]),
    ] as [(String, [String])])
  func words(_ line: String, _ words: [String]) throws {
    #expect(try splitWords(line) == words)
  }

  @Test(arguments: ["'open", "\"open", "a 'b\" c", "end\\"])
  func unfinished(_ line: String) {
    #expect(throws: UsageError.self) { try splitWords(line) }
  }

  @Test func restIsAsTyped() throws {
    var line = ShellLine("chat bob   it's  \"fine\" ")
    #expect(try line.nextWord() == "chat")
    #expect(try line.nextWord() == "bob")
    #expect(line.rest == "it's  \"fine\" ")
  }

  @Test func failedWordTakesNothing() throws {
    var line = ShellLine("say it's")
    #expect(try line.nextWord() == "say")
    #expect(throws: UsageError.self) { try line.nextWord() }
    #expect(line.rest == "it's")
  }
}
