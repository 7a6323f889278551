import Testing

/// Rules of the house that no compiler keeps.
@Suite struct HouseTests {
  @Test func `no file is longer than 600 lines`() throws {
    for folder in ["Sources", "Tests", "Fuzz", "Benchmarks"] {
      for file in SourceTree.swift(folder) {
        let lines = try SourceTree.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(lines <= 600, "\(file) has \(lines)")
      }
    }
  }

  @Test func `only the node's library is public`() throws {
    let pattern = /^\s*(?:@\w+\s+)*(?:public\s+(?!import)|open\s+(?:class|func|var|subscript))/
    for file in SourceTree.swift("Sources") where !file.hasPrefix("Sources/SecchatNode/") {
      for line in try SourceTree.code(file) where try pattern.prefixMatch(in: line) != nil {
        Issue.record("\(file): \(line)")
      }
    }
  }

  /// What prints is the terminal's code, or a program's one file for it.
  @Test func `nothing prints on its own`() throws {
    let pattern = /(?:^|[^.\w])(?:Swift\.)?(?:print|debugPrint|dump|puts|printf)\(/
    for file in SourceTree.swift("Sources") {
      for line in try SourceTree.code(file) where try pattern.firstMatch(in: line) != nil {
        guard line.firstMatch(of: /func \w+\(/) == nil else { continue }
        Issue.record("\(file): \(line)")
      }
    }
  }

  @Test func `nothing unwraps by force or gives up on input`() throws {
    let pattern = /(?:\btry!|\bas!|\bfatalError\()/
    for file in SourceTree.swift("Sources") {
      for line in try SourceTree.code(file) where try pattern.firstMatch(in: line) != nil {
        Issue.record("\(file): \(line)")
      }
    }
  }

  @Test func `core reads no clock`() throws {
    let pattern = /\b(?:ContinuousClock|SuspendingClock|Date\(\)|clock_gettime|gettimeofday|time\(nil\))/
    for file in SourceTree.swift("Sources/SecchatCore") + SourceTree.swift("Sources/SecchatCrypto") {
      for line in try SourceTree.code(file) where try pattern.firstMatch(in: line) != nil {
        Issue.record("\(file): \(line)")
      }
    }
  }

  @Test func `every label is used for one thing and is in the protocol`() throws {
    let text = try SourceTree.text("Sources/SecchatCore/Identity/Labels.swift")
    let labels = text.matches(of: /"(secchat [^"]+)"/).map { String($0.1) }
    #expect(labels.count >= 10, "the labels were not found")
    #expect(Set(labels).count == labels.count, "a label twice: \(labels.sorted())")
    let document = try SourceTree.text("docs/protocol.md")
    for label in labels { #expect(document.contains("`\(label)`"), "\(label) is not in docs/protocol.md") }
    // And nowhere else: a label that is written out at its use is one that this test does not see.
    for file in SourceTree.swift("Sources") where !file.hasSuffix("/Labels.swift") {
      for line in try SourceTree.code(file) where try /"secchat [\w ]+ v\d+"/.firstMatch(in: line) != nil {
        Issue.record("\(file): \(line)")
      }
    }
  }
}
