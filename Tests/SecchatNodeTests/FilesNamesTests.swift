import Foundation
import SecchatCore
import TestSupport
import Testing

@testable import SecchatNode

/// What many files of one name cost: each looks twice, for its name and for the next number.
@Suite struct FilesNamesTests {
  private static let count = 400

  private let downloads: TemporaryFolder
  private let writer: ItemWriter

  init() throws {
    downloads = try TemporaryFolder(inMemory: true)
    writer = ItemWriter(try DownloadFolder(downloads: downloads.path, sender: "mallory"))
  }

  private func entry(_ path: String, item: Int = 0, folder: Bool = false) -> Entry {
    Entry(
      stream: 1, item: UInt32(item), kind: folder ? .folder : .file, executable: false, modified: 0, size: 0,
      path: path)
  }

  @Test func sameNamesInAFolder() throws {
    var work: [WriteOperation] = [.begin(entry("x", folder: true), try FilePath("x"))]
    for _ in 1...Self.count {
      work += [.inside(entry("x/a\u{202e}"), try FilePath("x/a\u{202e}")), .end(digest: nil)]
    }
    let result = writer.perform(work + [.finish])
    #expect(result.failure == nil)
    #expect(result.finished.count == 1)
    let names = try FileManager.default.contentsOfDirectory(atPath: downloads.path + "/mallory/x")
    #expect(Set(names) == Set(["a_"] + (2...Self.count).map { "a_ (\($0))" }))
    #expect(writer.innerNumbers.tries <= 2 * Self.count)
  }

  @Test func sameNamesOfItems() throws {
    var work: [WriteOperation] = []
    for number in 0..<Self.count {
      work += [.begin(entry("x", item: number), try FilePath("x")), .end(digest: nil), .finish]
    }
    let result = writer.perform(work)
    #expect(result.failure == nil)
    #expect(result.finished.map(\.name) == ["x"] + (2...Self.count).map { "x (\($0))" })
    #expect(writer.itemNumbers.tries <= 2 * Self.count)
  }

  /// An item that has its name counts, also where the next one finds none.
  @Test func namesThatAreAllTaken() throws {
    for number in 1...9_999 {
      let name = number == 1 ? "y" : "y (\(number))"
      close(unsafe open(downloads.path + "/mallory/" + name, O_CREAT | O_WRONLY, 0o600))
    }
    var work: [WriteOperation] = []
    for (item, name) in ["x", "y", "z"].enumerated() {
      work += [.begin(entry(name, item: item), try FilePath(name)), .end(digest: nil), .finish]
    }
    let result = writer.perform(work)
    #expect(result.finished.map(\.name) == ["x"])
    #expect(result.failure?.reason == .malformed)
    writer.discard()
    let names = try FileManager.default.contentsOfDirectory(atPath: downloads.path + "/mallory")
    #expect(names.count == 10_000 && names.contains("x"))
  }

  /// Long names differ in what is cut off for the number.
  @Test func namesThatAreCutToTheSame() throws {
    var numbers = NameNumbers()
    var taken: Set<String> = []
    let stem = String(repeating: "n", count: 240)
    for number in 1...Self.count {
      for _ in 1...2 {
        let name = stem + "\(100_000_000 + number)"
        let free = try numbers.firstFree(name) { taken.insert($0).inserted ? true : nil }
        #expect(free != nil)
      }
    }
    #expect(taken.count == 2 * Self.count)
    #expect(numbers.tries <= 4 * Self.count)
  }

  @Test func numbersEnd() throws {
    var numbers = NameNumbers()
    var taken: Set<String> = []
    for _ in 1...10_000 {
      _ = try numbers.firstFree("x.txt") { taken.insert($0).inserted ? true : nil }
    }
    #expect(taken.count == 9_999)
    #expect(taken.contains("x (9999).txt"))
    // In another folder the same name begins anew.
    let free = try numbers.firstFree("x.txt", in: ["folder"]) { $0 == "x (2).txt" ? true : nil }
    #expect(free?.name == "x (2).txt")
    #expect(numbers.tries <= 2 * 10_000 + 2)
  }
}
