import Foundation
import Testing

@testable import SecchatNode

/// JSON lines carry any text and steer no terminal.
@Suite struct EventLineTests {
  private func message(_ text: String) -> Event {
    .message(.init(id: "00", from: "bob", to: "alice", text: text, time: 1_790_000_000, verified: false))
  }

  @Test(arguments: [
    0x00, 0x07, 0x0A, 0x1B, 0x7F, 0x80, 0x85, 0x9B, 0x9F, 0xAD, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028,
    0x2029, 0x202A,
    0x202E, 0x2066, 0x2069, 0xFEFF, 0xFFF9, 0xE0001, 0xE0041, 0xE007F,
  ])
  func controlsAreEscapedAndComeBack(value: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(value))
    let event = message("a\(scalar)b\(scalar)")
    let line = event.line
    #expect(!line.unicodeScalars.contains(scalar))
    #expect(Event(line: line) == event)
  }

  /// Every scalar there is, against the categories.
  @Test func noLineHoldsAnyOfThem() {
    var text = String.UnicodeScalarView()
    for value in UInt32(0)...0x10FFFF { if let scalar = Unicode.Scalar(value) { text.append(scalar) } }
    let event = message(String(text))
    let line = event.line
    let left = line.unicodeScalars.filter { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: true
      default: false
      }
    }
    #expect(left.isEmpty)
    #expect(Event(line: line) == event)
  }

  @Test func whatIsHarmlessStaysReadable() {
    let text = "Grüße, שלום, 你好, 🙂, \"quoted\" \\ /"
    #expect(message(text).line.contains("Grüße, שלום, 你好, 🙂, \\\"quoted\\\" \\\\ /"))
    #expect(Event(line: message(text).line) == message(text))
  }

  /// The fields that scripts may rely on: `skipped` only where something was left out.
  @Test func theFieldsOfATransfer() throws {
    func fields(_ event: Event) throws -> Set<String> {
      let object = try JSONSerialization.jsonObject(with: Data(event.line.utf8))
      return Set(try #require(object as? [String: Any]).keys)
    }
    let sent = Event.Transfer(id: "00", to: "bob", name: "x", bytes: 1, total: 2, seconds: 0.5)
    for event in [Event.offer(sent), .progress(sent), .done(sent)] {
      #expect(
        try fields(event)
          == ["v", "type", "id", "to", "name", "bytes", "total", "seconds", "resumed_from"])
      #expect(event.line.contains("\"resumed_from\":0,"))
      #expect(Event(line: event.line) == event)
    }
    var partly = sent
    partly.skipped = 2
    partly.checksum = "ab"
    #expect(Event.done(partly).line.contains("\"skipped\":2,"))
    #expect(Event(line: Event.done(partly).line) == .done(partly))
    let file = Event.file(.init(id: "00", from: "bob", name: "x", path: "/x", bytes: 1))
    #expect(try fields(file) == ["v", "type", "id", "from", "name", "path", "bytes", "resumed_from"])
    #expect(Event(line: file.line) == file)
  }
}
