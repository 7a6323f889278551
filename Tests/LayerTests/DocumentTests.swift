import Foundation
import TestSupport
import Testing

/// What the documents name is there.
@Suite struct DocumentTests {
  private static let documents = SourceTree.files.filter { $0.hasSuffix(".md") }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: Vectors.packageRoot.appending(path: path).path)
  }

  /// A document's text without its blocks of code.
  private static func prose(_ document: String) throws -> String {
    let parts = try SourceTree.text(document).components(separatedBy: "```")
    return stride(from: 0, to: parts.count, by: 2).map { parts[$0] }.joined()
  }

  @Test func `links lead somewhere`() throws {
    #expect(Self.documents.count > 10, "the documents were not found")
    for document in Self.documents {
      let folder = document.contains("/") ? document.replacing(/[^\/]*$/, with: "") : ""
      for match in try Self.prose(document).matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
        #expect(Self.exists(folder + match.1), "\(document) links to \(match.1)")
      }
    }
  }

  @Test func `files that are named are there`() throws {
    for document in Self.documents {
      for match in try Self.prose(document).matches(
        of: /`((?:Sources|Tests|docs|scripts|Fuzz|Benchmarks|keys)\/[\w.\/-]*)`/)
      {
        #expect(Self.exists(String(match.1)), "\(document) names \(match.1)")
      }
    }
  }

  /// What stands between backticks there and is no test; paths, files and types are told by their form.
  private static let codeInTheThreatModel: Set = [
    "code", "busy", "verify", "s, se", "trust", "lookup", "logout", "login",
  ]

  /// The threat model rests on tests: each that it names has to exist, and so has every suite of the other documents.
  @Test func `tests that are named are there`() throws {
    let tests = try SourceTree.swift("Tests").filter { !$0.hasSuffix("/DocumentTests.swift") }
      .map(SourceTree.text).joined()
    for document in Self.documents {
      for match in try Self.prose(document).matches(of: /`([^`\n]+)`/) {
        let name = String(match.1)
        let isSuite = name.wholeMatch(of: /\w+Tests/) != nil
        let isTest =
          document == "docs/threat-model.md" && !Self.codeInTheThreatModel.contains(name)
          && name.wholeMatch(of: #/[a-z][\w ,']+/#) != nil
        guard isSuite || isTest else { continue }
        let isFolder = Self.exists("Tests/" + name)
        #expect(
          isFolder || tests.contains("struct \(name) ") || tests.contains("func \(name)(")
            || tests.contains("func `\(name)`("), "\(document) names \(name)")
      }
    }
  }
}
