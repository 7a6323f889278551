internal import Foundation

/// A JSON line that a program printed.
package struct Record: Sendable, CustomStringConvertible {
  private let fields: [String: JSONValue]
  package let description: String

  /// Nil for a line that is no object.
  package init?(_ line: String) {
    guard let fields = try? JSONDecoder().decode([String: JSONValue].self, from: Data(line.utf8)) else {
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
  package subscript(name: String) -> String? { fields[name]?.string }

  package func number(_ name: String) -> Double? { fields[name]?.number }

  package func flag(_ name: String) -> Bool? { fields[name]?.bool }
}
