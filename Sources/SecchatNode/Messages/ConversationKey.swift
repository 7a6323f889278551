internal import SecchatCore
internal import SecchatCrypto

/// Seals the messages of one conversation. It is kept wrapped by the profile's storage key: where it is destroyed, the
/// messages are, wherever copies of their rows may lie.
final class ConversationKey: Sendable {
  private let key: AEADKey<XChaChaPoly>

  init() { key = .random() }

  init(_ secret: consuming SecretBytes) throws(CryptoError) { key = try AEADKey(secret) }

  /// The raw key, to be wrapped.
  var exported: SecretBytes {
    SecretBytes(count: AEADKey<XChaChaPoly>.length) { target in key.export(into: &target, at: 0) }
  }

  private static let table: StaticString = "messages"
  private static let format: UInt8 = 1

  /// The row's id is authenticated: rows cannot change places.
  func seal(_ message: Message, row: Int64) -> [UInt8] {
    var writer = WireWriter(capacity: 256)
    writer.u8(Self.format)
    message.encode(into: &writer)
    return key.sealWithRandomNonce(
      writer.bytes.raw, authenticating: ProfileStore.associated(Self.table, row).raw)
  }

  /// Nil for anything but what `seal` made for that row.
  func open(_ sealed: [UInt8], row: Int64) -> Message? {
    do {
      let plain = try key.openRow(sealed, authenticating: ProfileStore.associated(Self.table, row))
      var reader = WireReader(plain.raw)
      guard try reader.u8() == Self.format else { return nil }
      let message = try Message(from: &reader)
      try reader.end()
      return message
    } catch { return nil }
  }
}
