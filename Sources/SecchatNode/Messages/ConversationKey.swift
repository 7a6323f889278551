internal import SecchatCore
internal import SecchatCrypto

/// Seals the messages of one conversation. It is kept wrapped by the profile's storage key: where it is destroyed, the
/// messages are, wherever copies of their rows may lie.
final class ConversationKey: Sendable {
  private let key: AEADKey<XChaChaPoly>
  /// The one before, as long as its messages may not have been destroyed. It may have one before it in turn: a deletion
  /// that fails, and is tried again, must not leave anything behind that nothing opens.
  private let former: ConversationKey?

  private init(_ key: consuming AEADKey<XChaChaPoly>, former: ConversationKey? = nil) {
    self.key = key
    self.former = former
  }

  convenience init() { self.init(.random()) }

  /// A new key that opens what another one opens as well.
  convenience init(succeeding former: ConversationKey) { self.init(.random(), former: former) }

  /// Reads what `exported` gave.
  convenience init(_ secret: borrowing SecretBytes) throws(CryptoError) {
    let length = AEADKey<XChaChaPoly>.length
    guard secret.count > 0, secret.count % length == 0 else { throw .wrongLength }
    var former: ConversationKey?
    for start in stride(from: secret.count - length, to: 0, by: -length) {
      former = ConversationKey(try Self.key(in: secret, at: start), former: former)
    }
    self.init(try Self.key(in: secret, at: 0), former: former)
  }

  private static func key(
    in secret: borrowing SecretBytes, at start: Int
  ) throws(CryptoError) -> AEADKey<XChaChaPoly> {
    let end = start + AEADKey<XChaChaPoly>.length
    return try AEADKey(SecretBytes(copying: secret.bytes.extracting(start..<end)))
  }

  /// Without those before.
  var alone: ConversationKey { ConversationKey(key.duplicate()) }

  /// The raw key, to be wrapped, and behind it those before, the newest first.
  var exported: SecretBytes {
    let all = Array(sequence(first: self) { $0.former })
    let length = AEADKey<XChaChaPoly>.length
    return SecretBytes(count: all.count * length) { target in
      for (index, one) in all.enumerated() { one.key.export(into: &target, at: index * length) }
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

  /// Nil for anything but what `seal` made for that row, of that side, under this key or one before.
  func open(_ sealed: [UInt8], row: Int64, isOurs: Bool) -> Message? {
    openAlone(sealed, row, isOurs) ?? former?.open(sealed, row: row, isOurs: isOurs)
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
