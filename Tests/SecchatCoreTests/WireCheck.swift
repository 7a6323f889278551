import SecchatCore
import SecchatCrypto
import Testing

/// What must hold for every message: one form, read exactly, refused when cut or prolonged.
func checkWire<Message: WireMessage>(_ message: Message, location: SourceLocation = #_sourceLocation) {
  let encoded = message.encoded
  #expect(encoded.first == Message.type.rawValue, sourceLocation: location)
  let body = Array(encoded.dropFirst())
  #expect(read(Message.self, body) == .success(message), sourceLocation: location)
  for count in body.indices {
    let cut = Array(body[..<count])
    #expect(read(Message.self, cut) == .failure(.truncated), "cut at \(count)", sourceLocation: location)
  }
  #expect(read(Message.self, body + [0]) == .failure(.trailing), sourceLocation: location)
  checkCanonical(body, location: location) { bytes throws(WireError) in
    try Array(Message(wholeBody: bytes.raw).encoded.dropFirst())
  }
}

/// Whatever is read of a changed byte is written as it was read: there is one form.
func checkCanonical(
  _ bytes: [UInt8], location: SourceLocation = #_sourceLocation,
  _ recode: ([UInt8]) throws(WireError) -> [UInt8]
) {
  for index in bytes.indices {
    for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] as [UInt8] {
      var changed = bytes
      changed[index] ^= mask
      do throws(WireError) {
        let again = try recode(changed)
        #expect(again == changed, "byte \(index) ^ \(mask)", sourceLocation: location)
      } catch {}
    }
  }
}

func read<Message: WireMessage>(_: Message.Type, _ body: [UInt8]) -> Result<Message, WireError> {
  Result { () throws(WireError) in try Message(wholeBody: body.raw) }
}

/// What is wrong with a body; nil where nothing is.
func wireError<Message: WireMessage>(_ type: Message.Type, _ body: [UInt8]) -> WireError? {
  switch read(type, body) {
  case .success: nil
  case .failure(let error): error
  }
}

/// The same for what a message would be on the wire.
func wireError<Message: WireMessage>(_ message: Message) -> WireError? {
  wireError(Message.self, Array(message.encoded.dropFirst()))
}

extension WireWriter {
  /// What `body` writes.
  static func bytes(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.bytes
  }
}

extension String {
  init(repeating character: Character, bytes: Int) { self = String(repeating: character, count: bytes) }
}
