internal import SecchatCore
internal import SecchatCrypto

/// Names for files that came from elsewhere, or go there.
enum FileName {
  /// A component of a path, tidied: what could deceive the eye or a terminal becomes `_`.
  static func tidied(_ name: String) -> String {
    guard name.unicodeScalars.contains(where: isOdd) else { return name }
    var tidy = String.UnicodeScalarView()
    for scalar in name.unicodeScalars { tidy.append(isOdd(scalar) ? "_" : scalar) }
    return cut(String(tidy), to: Limits.pathComponent)
  }

  /// The name of an item in the downloads: tidied, and not hidden.
  static func item(_ name: String) -> String {
    let tidy = tidied(name)
    return tidy.utf8.first == UInt8(ascii: ".") ? cut("_" + tidy, to: Limits.pathComponent) : tidy
  }

  /// The `number`th of one name: `name (2).txt`.
  static func numbered(_ name: String, _ number: Int) -> String {
    let (stem, suffix) = split(name)
    let mark = " (\(number))"
    return prefix(stem, Limits.pathComponent - mark.utf8.count - suffix.utf8.count) + mark + suffix
  }

  /// What an item is called until it is complete; `tag` is 8 hexadecimal digits.
  static func partial(_ name: String, tag: String) -> String {
    let suffix = ".\(tag)\(partialSuffix)"
    return "." + prefix(name, Limits.pathComponent - 1 - suffix.utf8.count) + suffix
  }

  private static let partialSuffix = ".part"

  /// What an item is called until it is complete, where its transfer may go on another time; of the transfer's journal
  /// where `item` is nil. Tells no name.
  static func partial(of transfer: MessageID, item: UInt32?) -> String {
    keptPrefix + Hex.encode(transfer.array) + "-" + (item.map { "\($0)" } ?? "journal") + partialSuffix
  }

  private static let keptPrefix = ".secchat-"

  /// Whose part it is, of a name that `partial(of:item:)` could have made.
  static func transfer(ofPartial name: String) -> MessageID? {
    guard name.hasPrefix(keptPrefix), name.hasSuffix(partialSuffix) else { return nil }
    let middle = name.utf8.dropFirst(keptPrefix.utf8.count).dropLast(partialSuffix.utf8.count)
    guard middle.count > 33, middle.dropFirst(32).first == UInt8(ascii: "-"),
      let bytes = Hex.decode(String(decoding: middle.prefix(32), as: UTF8.self))
    else { return nil }
    return MessageID(bytes)
  }

  /// Whether `partial` could have made the name.
  static func isPartial(_ name: String) -> Bool {
    if transfer(ofPartial: name) != nil { return true }
    guard name.utf8.first == UInt8(ascii: "."), name.hasSuffix(partialSuffix) else { return false }
    let tag = name.utf8.dropFirst().dropLast(partialSuffix.utf8.count).suffix(9)
    return tag.count == 9 && tag.first == UInt8(ascii: ".")
      && tag.dropFirst().allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  /// A local file's name for an ENTRY: what is no UTF-8, and what a receiver takes for hostile, becomes `_`.
  static func outgoing(_ bytes: some Collection<UInt8>) -> String {
    let repaired = String(decoding: bytes, as: UTF8.self)
    guard repaired.unicodeScalars.contains(where: { isControl($0) || $0 == "\u{fffd}" }) else {
      return repaired
    }
    var name = String.UnicodeScalarView()
    for scalar in repaired.unicodeScalars {
      name.append(isControl(scalar) || scalar == "\u{fffd}" ? "_" : scalar)
    }
    return String(name)
  }

  /// At most `count` bytes of `name`, the extension kept.
  static func cut(_ name: String, to count: Int) -> String {
    guard name.utf8.count > count else { return name }
    let (stem, suffix) = split(name)
    return prefix(stem, count - suffix.utf8.count) + suffix
  }

  /// The stem and an extension of moderate length with its dot; a leading dot begins no extension.
  private static func split(_ name: String) -> (stem: String, suffix: String) {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 32 else {
      return (name, "")
    }
    return (String(name[..<dot]), String(name[dot...]))
  }

  /// The longest beginning of at most `count` bytes that cuts no character.
  private static func prefix(_ text: String, _ count: Int) -> String {
    guard text.utf8.count > count else { return text }
    var kept = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars {
      length += UTF8.width(scalar)
      if length > count { break }
      kept.append(scalar)
    }
    return String(kept)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || scalar.value == 0x7f
  }

  private static func isOdd(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.isASCII else { return isControl(scalar) }
    return switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    // Bidirectional marks and invisible characters; but Persian and family emoji are written with joiners.
    case .format: scalar != "\u{200c}" && scalar != "\u{200d}"
    default: false
    }
  }
}

extension String {
  /// Whether it is the same name or path: `==` takes a letter with its accent for the two apart, which are two files.
  func hasBytes(of other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
