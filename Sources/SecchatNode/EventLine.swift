internal import FoundationEssentials

extension Event {
  /// The event as one line of JSON, keys sorted, without the line break. Characters that could steer a terminal or
  /// reorder text stand as `\u` escapes.
  public var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and numbers only: there is nothing in an event that JSON could not say.
    guard let data = try? encoder.encode(self) else { return "{}" }
    return Self.escapingControls(String(decoding: data, as: UTF8.self))
  }

  /// The same JSON value: what is escaped can only stand inside strings.
  private static func escapingControls(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: isControl) else { return json }
    var line = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
      guard isControl(scalar) else {
        line.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 { line.append(contentsOf: escape(unit).unicodeScalars) }
    }
    return String(line)
  }

  /// Control and format characters and separators of lines: C1, bidi controls, marks of byte order, tags.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value >= 0x7F else { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  private static func escape(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// The event that a line of JSON says; nil for anything else.
  public init?(line: some StringProtocol) {
    guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return nil }
    self = event
  }

  /// What became of a failed request.
  public static func failure(_ error: NodeError) -> Event {
    .error(Failure(code: error.status, message: error.message, hint: error.hint))
  }
}
