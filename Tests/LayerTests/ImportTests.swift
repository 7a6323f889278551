import Testing

/// Who may import whom. Arrows point down: a module stands below every module that may import it.
@Suite struct ImportTests {
  /// Every target of `Sources` and all that its files may import, besides the standard library.
  private static let table: [String: Set<String>] = [
    // Pure: no system, no clock, no input or output.
    "SecchatCrypto": ["CSodium", "Glibc"],
    "SecchatCore": ["SecchatCrypto"],
    // Bytes only: never a key.
    "SecchatNet": ["CUV", "CSystem", "Glibc"],
    "SecchatLink": ["SecchatCore", "SecchatCrypto", "SecchatNet"],
    "SecchatSQLite": ["CSQLite", "Glibc"],
    "SecchatRegistry": [
      "SecchatLink", "SecchatSQLite", "SecchatCore", "SecchatCrypto", "SecchatNet", "Glibc",
    ],
    "SecchatText": ["CUTF8Proc", "Glibc"],
    "SecchatNode": [
      "SecchatLink", "SecchatSQLite", "SecchatText", "SecchatCore", "SecchatCrypto", "SecchatNet", "CSystem",
      "Glibc",
      "FoundationEssentials",
    ],
    "SecchatArguments": ["Glibc"],
    "SecchatTerminal": ["CEdit", "CQREncode", "SecchatText", "Glibc", "Synchronization"],
    "secchat": [
      "SecchatNode", "SecchatArguments", "SecchatTerminal", "CSystem", "Glibc", "Synchronization",
      "Dispatch",
    ],
    "secchat-registry": [
      "SecchatRegistry", "SecchatArguments", "SecchatCore", "SecchatNet", "CSystem", "Glibc",
    ],
  ]

  private struct Import {
    let file: String
    let target: String
    let module: String
  }

  private static func imports(below folder: String) throws -> [Import] {
    let pattern =
      /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    return try SourceTree.swift(folder).flatMap { file in
      let target = String(file.split(separator: "/")[1])
      return try SourceTree.code(file).compactMap { line in
        try pattern.firstMatch(in: line).map { Import(file: file, target: target, module: String($0.1)) }
      }
    }
  }

  @Test func `every import is in the table`() throws {
    let all = try Self.imports(below: "Sources")
    #expect(all.count > 100, "the imports were not found")
    for one in all {
      let allowed = try #require(Self.table[one.target], "\(one.target) is not in the table")
      #expect(allowed.contains(one.module), "\(one.file) imports \(one.module)")
    }
  }

  /// The table itself has no circle: a target's imports stand lower than the target.
  @Test func `the table's arrows point down`() {
    var height: [String: Int] = [:]
    func climb(_ module: String, _ above: [String]) -> Int {
      if let known = height[module] { return known }
      guard !above.contains(module) else {
        Issue.record("a circle: \((above + [module]).joined(separator: " → "))")
        return 0
      }
      let below = Self.table[module, default: []].map { climb($0, above + [module]) }
      height[module] = (below.max() ?? 0) + 1
      return height[module, default: 0]
    }
    for module in Self.table.keys { _ = climb(module, []) }
  }

  @Test(arguments: [
    ("CSodium", "SecchatCrypto"), ("CUV", "SecchatNet"), ("CSQLite", "SecchatSQLite"),
    ("CEdit", "SecchatTerminal"), ("CQREncode", "SecchatTerminal"), ("CUTF8Proc", "SecchatText"),
  ])
  func `a C library has one importer`(library: String, importer: String) throws {
    for folder in ["Sources", "Tests", "Fuzz", "Benchmarks"] {
      for one in try Self.imports(below: folder) where one.module == library {
        #expect(one.target == importer, "\(one.file) imports \(library)")
      }
    }
  }

  @Test func `the manifest draws no other arrow`() throws {
    let manifest = try SourceTree.text("Package.swift")
    let pattern = /(?:library|program)\("([\w-]+)", \[([^\]]*)\]\)/
    let found = manifest.matches(of: pattern)
    #expect(Set(found.map { String($0.1) }) == Set(Self.table.keys))
    for match in found {
      let (target, list) = (String(match.1), match.2)
      for dependency in list.matches(of: /"([\w-]+)"/).map({ String($0.1) }) {
        let allowed = Self.table[target, default: []]
        #expect(allowed.contains(dependency), "\(target) depends on \(dependency)")
      }
    }
  }

  @Test func `no product links full Foundation`() throws {
    for one in try Self.imports(below: "Sources") {
      #expect(one.module != "Foundation" && one.module != "FoundationNetworking", "\(one.file)")
    }
  }
}
