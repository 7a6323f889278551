internal import SecchatCore
internal import SecchatCrypto

/// Seals the messages of one conversation. It is kept wrapped by the profile's storage key: where it is destroyed, the
/// messages are, wherever copies of their rows may lie.
final class ConversationKey: Sendable {
  private let key: AEADKey<XChaChaPoly>
  /// The one before, as long as its messages may not have been destroyed.
  private let former: ConversationKey?

  private init(_ key: consuming AEADKey<XChaChaPoly>, former: ConversationKey? = nil) {
    self.key = key
    self.former = former
  }

  convenience init() { self.init(.random()) }

  /// A new key that opens what was sealed under another one as well.
  convenience init(succeeding former: ConversationKey) { self.init(.random(), former: former.alone) }

  /// Reads what `exported` gave.
  convenience init(_ secret: borrowing SecretBytes) throws(CryptoError) {
    let length = AEADKey<XChaChaPoly>.length
    func part(_ index: Int) throws(CryptoError) -> AEADKey<XChaChaPoly> {
      try AEADKey(SecretBytes(copying: secret.bytes.extracting(index * length..<(index + 1) * length)))
    }
    switch secret.count {
    case length: self.init(try part(0))
    case 2 * length: self.init(try part(0), former: ConversationKey(try part(1)))
    default: throw .wrongLength
    }
  }

  /// Without the one before.
  var alone: ConversationKey { ConversationKey(key.duplicate()) }

  /// The raw key, to be wrapped, and the one before where there is one.
  var exported: SecretBytes {
    let length = AEADKey<XChaChaPoly>.length
    return SecretBytes(count: former == nil ? length : 2 * length) { target in
      key.export(into: &target, at: 0)
      former?.key.export(into: &target, at: length)
    }
  }

  private static let table: StaticString = "messages"

  /// Whose message it is, sealed with it: who can write the state that stands beside it must not make it another's.
  private enum Format: UInt8 {
    case theirs = 1
    case ours = 2

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

  /// Nil for anything but what `seal` made for that row, of that side, under this key or the one before.
  func open(_ sealed: [UInt8], row: Int64, isOurs: Bool) -> Message? {
    openAlone(sealed, row, isOurs) ?? former?.openAlone(sealed, row, isOurs)
  }

  private func openAlone(_ sealed: [UInt8], _ row: Int64, _ isOurs: Bool) -> Message? {
    do {
      let plain = try key.openRow(sealed, authenticating: ProfileStore.associated(Self.table, row))
      var reader = WireReader(plain.raw)
      guard try reader.u8() == Format(isOurs: isOurs).rawValue else { return nil }
      let message = try Message(from: &reader)
      try reader.end()
      return message
    } catch { return nil }
  }
}
