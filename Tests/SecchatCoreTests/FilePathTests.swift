import SecchatCore
import TestSupport
import Testing

@Suite struct FilePathTests {
  private func error(_ text: String) -> WireError? {
    refusal(of: try FilePath(text))
  }

  @Test func `a path is its components`() throws {
    #expect(try FilePath("a").components == ["a"])
    #expect(try FilePath("a/b c/\u{fc}.txt").components == ["a", "b c", "\u{fc}.txt"])
    #expect(try FilePath("...").components == ["..."])
    #expect(try FilePath(".hidden/..x/x..").components == [".hidden", "..x", "x.."])
    // Odd, but only a name.
    #expect(try FilePath("a\\..\\b").components == ["a\\..\\b"])
  }

  @Test(arguments: [
    "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/..", "../a", "a/../b", "a/./b", "/..", "//",
    "a\u{0}", "\u{0}", "a/\u{0}b", "a\n", "a\r\nb", "a\t", "\u{1b}[31m", "a\u{7f}", "a/\u{1f}",
  ])
  func `a hostile path is refused`(_ text: String) {
    #expect(error(text) == .malformed)
  }

  /// To Swift, a slash with a combining mark is one character and no slash.
  @Test(arguments: [
    "../\u{301}x", "a/../\u{301}x", "/\u{301}etc", "..\u{2f}\u{20d2}", "./\u{308}a", "a/\u{200d}/b/..",
  ])
  func `a slash separates whatever follows it`(_ text: String) throws {
    switch error(text) {
    case .malformed: break
    default:
      let components = try FilePath(text).components
      #expect(components.allSatisfy { !$0.utf8.contains(UInt8(ascii: "/")) })
      Issue.record("\(text.utf8.count) bytes were taken as \(components.count) components")
    }
  }

  @Test func `a mark after a slash begins the next component`() throws {
    let components = try FilePath("a/\u{301}b").components
    #expect(components.map { Array($0.utf8) } == [Array("a".utf8), Array("\u{301}b".utf8)])
  }

  @Test func `lengths have limits, in bytes`() {
    let component = String(repeating: "x", bytes: 255)
    #expect(error(component) == nil)
    #expect(error(component + "x") == .tooLong)
    #expect(error(String(repeating: "\u{fc}", count: 127)) == nil)
    #expect(error(String(repeating: "\u{fc}", count: 128)) == .tooLong)
    let long = [String](repeating: component, count: 16).joined(separator: "/")
    #expect(long.utf8.count == 4_095)
    #expect(error(long) == nil)
    #expect(error("x" + String(long.dropFirst(2)) + "/x") == nil)
    #expect(error(long + "/x") == .tooLong)
  }

  @Test func `depth has a limit`() {
    let deep = [String](repeating: "x", count: Limits.pathDepth).joined(separator: "/")
    #expect(error(deep) == nil)
    #expect(error(deep + "/x") == .tooLong)
  }
}
