import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// What is inside a message's seal: hostile too, for the peer has written it.
@Suite struct ContentTests {
  private func error(_ bytes: [UInt8]) -> WireError? {
    do throws(WireError) {
      _ = try Content(decoding: bytes.raw)
      return nil
    } catch { return error }
  }

  private func content(_ body: Message.Body, sequence: UInt64 = 1) -> Content {
    Content(
      sequence: sequence, previous: FixedBytes(),
      message: Message(id: Messages.id, sent: .max, expires: .max, body: body))
  }

  @Test func `each has one form`() throws {
    var bodies: [Message.Body] = [1, 184, 185, 186, 441].map { .text(String(repeating: "x", bytes: $0)) }
    bodies += [1, 11, 12, Limits.readIDs].map { .read((0..<$0).map { _ in Random.bytes() }) }
    for body in bodies {
      let content = content(body, sequence: Content.lastSequence)
      let bytes = content.encoded
      #expect(try Content(decoding: bytes.raw) == content)
      #expect(bytes.count % Limits.chatBucket == 0)
      for index in 1...bytes.count { #expect(error(Array(bytes.dropLast(index))) != nil) }
      #expect(error(bytes + [0]) == .trailing)
      #expect(error(bytes + [UInt8](repeating: 0, count: Limits.chatBucket)) == .trailing)
    }
  }

  @Test func `padding is zeros and exactly as much as must be`() {
    let bytes = Messages.content.encoded
    let start = 71 + "Hello, Bob! 👋".utf8.count
    #expect(bytes.count == Limits.chatBucket)
    for index in start..<bytes.count {
      var changed = bytes
      changed[index] = 1
      #expect(error(changed) == .malformed, "byte \(index)")
    }
  }

  @Test func `a text has 1 to 32768 bytes`() {
    #expect(error(content(.text("")).encoded) == .malformed)
    #expect(error(content(.text(String(repeating: "x", bytes: Limits.chatText))).encoded) == nil)
    #expect(error(content(.text(String(repeating: "x", bytes: Limits.chatText + 1))).encoded) == .tooLong)
    // Bytes count, not characters.
    let wide = String(repeating: "\u{20ac}", count: Limits.chatText / 3)
    #expect(error(content(.text(wide)).encoded) == nil)
    #expect(error(content(.text(wide + "\u{20ac}")).encoded) == .tooLong)
  }

  @Test func `what may not stand there is refused`() {
    for sequence in [0, Content.lastSequence + 1, .max] {
      #expect(error(content(.text("x"), sequence: sequence).encoded) == .malformed)
    }
    #expect(error(content(.read([])).encoded) == .tooLong)
    let many = (0...Limits.readIDs).map { _ in Random.bytes(MessageID.self) }
    #expect(error(content(.read(many)).encoded) == .tooLong)
    for kind: UInt8 in 0...255 where !(1...2).contains(kind) {
      var bytes = Messages.content.encoded
      bytes[68] = kind
      #expect(error(bytes) == .malformed)
    }
  }
}
