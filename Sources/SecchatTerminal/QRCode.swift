import CQREncode
import Glibc

/// A QR code (ISO/IEC 18004), error correction level M.
package struct QRCode: Sendable {
  /// The four light modules that the standard asks for on every side.
  package static let quietZone = 4
  /// The most bytes a code of level M holds.
  package static let maximumBytes = 2331

  /// Modules a side, without the quiet zone.
  package let size: Int
  private let dark: [Bool]

  /// - Returns: nil when there is nothing to encode or more than a code can hold.
  package init?(bytes: [UInt8]) {
    guard !bytes.isEmpty, bytes.count <= Self.maximumBytes else { return nil }
    guard let code = unsafe QRcode_encodeData(Int32(bytes.count), bytes, 0, QR_ECLEVEL_M) else { return nil }
    defer { unsafe QRcode_free(code) }
    size = unsafe Int(code.pointee.width)
    var modules: [Bool] = []
    // The lowest bit is the colour; the others tell what a module is for.
    for index in 0..<(size * size) { modules.append(unsafe code.pointee.data[index] & 1 == 1) }
    dark = modules
  }

  /// - Returns: nil when there is nothing to encode or more than a code can hold.
  package init?(text: String) { self.init(bytes: Array(text.utf8)) }

  /// Whether a module is dark; everything outside the code is the light quiet zone.
  package subscript(row: Int, column: Int) -> Bool {
    guard (0..<size).contains(row), (0..<size).contains(column) else { return false }
    return dark[row * size + column]
  }

  /// Columns that a drawing takes.
  package var columns: Int { size + 2 * Self.quietZone }

  /// Two modules a character, with the quiet zone.
  ///
  /// With colour the code is black on white whatever the terminal's own colours are; without, light
  /// modules are drawn and dark ones left empty, which is right on a dark terminal.
  package func drawing(colour: Bool) -> String {
    let range = -Self.quietZone..<(size + Self.quietZone)
    var lines: [String] = []
    for top in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
      var line = ""
      for column in range {
        let upper = self[top, column]
        let lower = self[top + 1, column]
        // Below an odd last row there is nothing to draw.
        let beyond = top + 1 >= range.upperBound
        line += colour ? glyph(upper, lower) : glyph(!upper, !lower && !beyond)
      }
      lines.append(colour ? "\u{1B}[30;107m\(line)\u{1B}[0m" : line)
    }
    return lines.joined(separator: "\n")
  }

  private func glyph(_ upper: Bool, _ lower: Bool) -> String {
    switch (upper, lower) {
    case (true, true): "█"
    case (true, false): "▀"
    case (false, true): "▄"
    case (false, false): " "
    }
  }
}
