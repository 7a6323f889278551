import Glibc

/// What was given after the subcommand: pairs of `--name value`.
struct Options: Sendable {
  private var values: [String: String] = [:]

  init(_ words: [String]) {
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      values[String(words[index].drop { $0 == "-" })] = words[index + 1]
    }
  }

  func text(_ name: String) throws -> String {
    guard let value = values[name] else { throw Trouble("--\(name) is missing") }
    return value
  }

  func text(_ name: String, or standard: String) -> String { values[name] ?? standard }
  func number(_ name: String, or standard: Double) -> Double { values[name].flatMap(Double.init) ?? standard }
  func count(_ name: String, or standard: Int) -> Int { values[name].flatMap(Int.init) ?? standard }
}

/// Why nothing was measured.
struct Trouble: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// All of a small file.
func contents(of path: String) throws -> [UInt8] {
  let file = unsafe open(path, O_RDONLY)
  guard file >= 0 else { throw Trouble("cannot open \(path)") }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: 65_536)
  let count = unsafe read(file, &bytes, bytes.count)
  guard count >= 0 else { throw Trouble("cannot read \(path)") }
  return Array(bytes.prefix(count))
}
