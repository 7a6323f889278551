internal import Foundation

/// A JSON line that a program printed.
package struct Record: Sendable, CustomStringConvertible {
  private enum Field: Decodable, Sendable {
    case text(String)
    case number(Double)
    case flag(Bool)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .other
      }
    }
  }

  private let fields: [String: Field]
  package let description: String

  /// Nil for a line that is no object.
  package init?(_ line: String) {
    guard let fields = try? JSONDecoder().decode([String: Field].self, from: Data(line.utf8)) else {
      return nil
    }
    self.fields = fields
    description = line
  }

  /// The value of `type`.
  package var type: String { self["type"] ?? "" }

  /// The names of its fields.
  package var names: Set<String> { Set(fields.keys) }

  /// A field of text.
  package subscript(name: String) -> String? {
    if case .text(let text) = fields[name] { text } else { nil }
  }

  package func number(_ name: String) -> Double? {
    if case .number(let number) = fields[name] { number } else { nil }
  }

  package func flag(_ name: String) -> Bool? {
    if case .flag(let flag) = fields[name] { flag } else { nil }
  }
}
