/// A message inside a frame: one type byte, then a body of one canonical form.
package protocol WireMessage: Equatable, Sendable {
  /// The byte that announces it.
  static var type: FrameType { get }
  /// Reads the body; the caller checks that nothing follows.
  init(body: inout WireReader) throws(WireError)
  /// Writes the body.
  func encodeBody(into writer: inout WireWriter)
}

extension WireMessage {
  /// The plaintext of the frame that carries this message.
  package var encoded: [UInt8] {
    var writer = WireWriter()
    writer.u8(Self.type.rawValue)
    encodeBody(into: &writer)
    return writer.bytes
  }

  /// The message whose body is exactly `bytes`.
  package init(wholeBody bytes: RawSpan) throws(WireError) {
    var reader = WireReader(bytes)
    try self.init(body: &reader)
    try reader.end()
  }
}

/// A message that asks and expects the answer of the same id, or that answers.
package protocol Numbered {
  /// Chosen by the asker, unique among its open requests on the link.
  var request: UInt32 { get set }
}
