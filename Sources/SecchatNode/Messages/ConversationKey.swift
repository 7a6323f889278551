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

  /// Whose message it is, sealed with it: who can write the state that stands beside it must not make it another's.
  private enum Format: UInt8 {
    /// Of a profile from before that was said.
    case anybodys = 1
    case theirs = 2
    case ours = 3

    init(isOurs: Bool) { self = isOurs ? .ours : .theirs }
  }

  /// The row's id is authenticated: rows cannot change places.
  func seal(_ message: Message, row: Int64, isOurs: Bool) -> [UInt8] {
    var writer = WireWriter(capacity: 256)
    writer.u8(Format(isOurs: isOurs).rawValue)
    message.encode(into: &writer)
    return key.sealWithRandomNonce(
      writer.bytes.raw, authenticating: ProfileStore.associated(Self.table, row).raw)
  }

  /// Nil for anything but what `seal` made for that row, of that side.
  func open(_ sealed: [UInt8], row: Int64, isOurs: Bool) -> Message? {
    do {
      let plain = try key.openRow(sealed, authenticating: ProfileStore.associated(Self.table, row))
      var reader = WireReader(plain.raw)
      let format = Format(rawValue: try reader.u8())
      guard format == Format(isOurs: isOurs) || format == .anybodys else { return nil }
      let message = try Message(from: &reader)
      try reader.end()
      return message
    } catch { return nil }
  }
}
