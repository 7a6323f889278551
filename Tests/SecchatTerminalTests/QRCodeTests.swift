import SecchatTerminal
import Testing

@Suite struct QRCodeTests {
  /// The finder patterns, timing and dark module that every version 1 code has (ISO/IEC 18004 §6.3).
  @Test func hasTheFixedPatterns() throws {
    let code = try #require(QRCode(text: "secchat"))
    #expect(code.size == 21)
    let finder = ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"]
    for (row, line) in finder.enumerated() {
      for (column, mark) in line.enumerated() {
        #expect(code[row, column] == (mark == "#"))
        #expect(code[row, 14 + column] == (mark == "#"))
        #expect(code[14 + row, column] == (mark == "#"))
      }
    }
    for place in 8...12 {
      #expect(code[6, place] == (place % 2 == 0))
      #expect(code[place, 6] == (place % 2 == 0))
    }
    #expect(code[13, 8])
    #expect(!code[-1, 0] && !code[0, 21])
  }

  /// Reads the code back by the standard's own steps: unmask, walk the columns, take the byte segment.
  @Test(arguments: ["secchat", "0123abc", "grüße", "x"])
  func saysWhatItWasGiven(_ text: String) throws {
    let code = try #require(QRCode(text: text))
    #expect(try decodeVersion1(code) == Array(text.utf8))
  }

  @Test func drawingsShowEveryModule() throws {
    let code = try #require(QRCode(bytes: [1, 2, 3]))
    for colour in [true, false] {
      var rows: [[Bool]] = []
      for line in code.drawing(colour: colour).split(separator: "\n") {
        var line = String(line)
        if colour {
          #expect(line.hasPrefix("\u{1B}[30;107m") && line.hasSuffix("\u{1B}[0m"))
          line = String(line.dropFirst(9).dropLast(4))
        }
        #expect(line.count == code.columns)
        rows.append(line.map { ($0 == "█" || $0 == "▀") == colour })
        rows.append(line.map { ($0 == "█" || $0 == "▄") == colour })
      }
      for row in 0..<code.size + 8 {
        for column in 0..<code.size + 8 { #expect(rows[row][column] == code[row - 4, column - 4]) }
      }
    }
  }

  @Test func bounds() {
    #expect(QRCode(text: "") == nil)
    #expect(QRCode(bytes: [UInt8](repeating: 200, count: QRCode.maximumBytes))?.size == 177)
    #expect(QRCode(bytes: [UInt8](repeating: 200, count: QRCode.maximumBytes + 1)) == nil)
  }

  private func decodeVersion1(_ code: QRCode) throws -> [UInt8] {
    try #require(code.size == 21)
    // Format information: five bits, masked with 10101 of 101010000010010; the last three name the mask.
    let format = (0...4).reduce(0) { $0 << 1 | (code[8, $1] ? 1 : 0) } ^ 0b10101
    #expect(format >> 3 == 0b00, "level M")
    let mask = format & 7
    var bits: [Bool] = []
    var column = 20
    var upward = true
    while column > 0 {
      if column == 6 { column -= 1 }
      for step in 0..<21 {
        let row = upward ? 20 - step : step
        for x in [column, column - 1] where !isFunction(row, x) {
          bits.append(code[row, x] != isMasked(mask, row, x))
        }
      }
      upward.toggle()
      column -= 2
    }
    func number(_ start: Int, _ length: Int) -> Int {
      bits[start..<start + length].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
    try #require(number(0, 4) == 0b0100, "byte mode")
    let count = number(4, 8)
    return (0..<count).map { UInt8(number(12 + 8 * $0, 8)) }
  }

  private func isFunction(_ row: Int, _ column: Int) -> Bool {
    (row <= 8 && (column <= 8 || column >= 13)) || (row >= 13 && column <= 8) || row == 6 || column == 6
  }

  private func isMasked(_ mask: Int, _ i: Int, _ j: Int) -> Bool {
    switch mask {
    case 0: (i + j) % 2 == 0
    case 1: i % 2 == 0
    case 2: j % 3 == 0
    case 3: (i + j) % 3 == 0
    case 4: (i / 2 + j / 3) % 2 == 0
    case 5: i * j % 2 + i * j % 3 == 0
    case 6: (i * j % 2 + i * j % 3) % 2 == 0
    default: ((i + j) % 2 + i * j % 3) % 2 == 0
    }
  }
}
