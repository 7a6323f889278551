internal import SecchatCrypto

/// The 60 digits that two users compare to know that nobody stands between them: Signal's scheme over the domain tag and
/// the account as the identifier and the Ed25519 identity key as the key. Independent of devices.
package struct SafetyNumber: Equatable, Sendable, CustomStringConvertible {
  /// 60 digits without spaces.
  package let digits: String

  package init(
    _ ours: (account: Account, key: IdentityPublicKey), _ theirs: (account: Account, key: IdentityPublicKey)
  ) {
    digits = NumericFingerprint.display(
      idA: Self.identifier(ours.account), keyA: ours.key.raw.array,
      idB: Self.identifier(theirs.account), keyB: theirs.key.raw.array)
  }

  private static func identifier(_ account: Account) -> [UInt8] {
    Labels.prefix(Labels.safetyNumber) + account.encoded
  }

  /// Whether `text` is this number; spaces, line breaks and hyphens do not matter.
  package func matches(_ text: some StringProtocol) -> Bool {
    let plain = String(text.filter { !$0.isWhitespace && $0 != "-" })
    return ConstantTime.equal(Array(plain.utf8).raw, Array(digits.utf8).raw)
  }

  /// Twelve groups of five digits.
  package var description: String {
    let digits = Array(digits)
    return stride(from: 0, to: digits.count, by: 5).map { String(digits[$0..<$0 + 5]) }
      .joined(separator: " ")
  }
}
