import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What the fuzzer found worth keeping, and every input that once broke something: `scripts/fuzz --keep` says which.
@Suite(.serialized) struct FuzzCorpusTests {
  private static let folder = Vectors.packageRoot.appending(path: "Fuzz/Corpus").path

  @Test func `each folder is a target's, and small`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
    #expect(Set(folders).isSubset(of: FuzzTarget.all.map(\.name)), "\(folders)")
    var total = 0
    for folder in folders {
      let sizes = try Self.inputs(of: folder).map(\.count)
      #expect(sizes.count <= 50, "\(folder) has \(sizes.count) inputs")
      total += sizes.reduce(0, +)
    }
    #expect(total < 1_500_000)
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `every kept input holds`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for input in try Self.inputs(of: name) {
      if case .broken(let what) = target.run(input) { Issue.record("\(name): \(what): \(input)") }
    }
  }

  private static func inputs(of name: String) throws -> [[UInt8]] {
    let folder = folder + "/" + name
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { file in
      [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + file)))
    }
  }
}
