import Foundation
import TestSupport

/// What a process takes of the system.
struct ProcessFigures {
  let name: String
  /// Memory of its own, without what it shares with its file, in KiB.
  let memory: Int
  let descriptors: Int

  init(of process: Int32, name: String) throws {
    self.name = name
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
      let memory = Int(line.filter(\.isNumber))
    else { throw TookTooLong("no figures of \(name)") }
    self.memory = memory
    descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
  }
}

/// The same processes before and after.
struct Growth {
  private let pairs: [(before: ProcessFigures, after: ProcessFigures)]

  init(from before: [ProcessFigures], to after: [ProcessFigures]) {
    pairs = before.compactMap { old in after.first { $0.name == old.name }.map { (old, $0) } }
  }

  private static func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }

  var memory: (median: Int, worst: Int) { growth(\.memory) }
  var descriptors: (median: Int, worst: Int) { growth(\.descriptors) }

  private func growth(_ figure: KeyPath<ProcessFigures, Int>) -> (median: Int, worst: Int) {
    let grown = pairs.map { $0.after[keyPath: figure] - $0.before[keyPath: figure] }
    return (Self.median(grown), grown.max() ?? 0)
  }

  /// One line for people.
  func line(_ what: String) -> String {
    func text(_ figure: KeyPath<ProcessFigures, Int>) -> String {
      let (before, after) = (
        pairs.map { $0.before[keyPath: figure] }, pairs.map { $0.after[keyPath: figure] }
      )
      return "median \(Self.median(before)) -> \(Self.median(after)), most \(before.max() ?? 0) -> "
        + "\(after.max() ?? 0), worst growth \(growth(figure).worst)"
    }
    return "soak: \(pairs.count) \(what): KiB of memory \(text(\.memory)); descriptors \(text(\.descriptors))"
  }
}
