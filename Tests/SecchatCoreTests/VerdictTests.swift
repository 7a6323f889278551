import SecchatCore
import SecchatCrypto
import Testing

@Suite struct VerdictTests {
  private func judge(_ offered: SignedDeviceList, pinned: SignedDeviceList?) -> Verdict {
    Verdict(of: offered, for: Users.aliceAccount, pinned: pinned)
  }

  /// A list of `secret`'s for an account, of that version.
  private func list(
    of secret: SecretIdentity, for account: Account = Users.aliceAccount, version: UInt64 = 1
  ) -> SignedDeviceList {
    SignedDeviceList(
      signing: must(
        DeviceList(
          identity: secret.identity.publicKey, account: account, version: version, previous: FixedBytes(),
          devices: [secret.publicDevice])), with: secret.identity)
  }

  @Test func `without a pin, it is the first`() {
    #expect(judge(Users.aliceList, pinned: nil) == .first)
    #expect(judge(Users.aliceSecondList, pinned: nil) == .first)
  }

  @Test func `the pin itself is the same`() {
    #expect(judge(Users.aliceList, pinned: Users.aliceList) == .same)
  }

  /// Alice's second list as somebody in between may pass it on.
  private func altered() throws -> [SignedDeviceList] {
    let bytes = Users.aliceSecondList.encoded
    let statement = bytes.count - 4 - 64
    let stripped = Array(bytes[..<(statement - 1)]) + [0]
    var other = bytes
    other[bytes.count - 1] ^= 1
    return try [stripped, other].map { try SignedDeviceList(verifying: $0.raw) }
  }

  @Test func `who vouches for the pin does not make it another list`() throws {
    for list in try altered() {
      #expect(list.encoded != Users.aliceSecondList.encoded)
      #expect(list == Users.aliceSecondList)
      #expect(Set([list, Users.aliceSecondList]).count == 1)
      #expect(judge(list, pinned: Users.aliceSecondList) == .same)
      #expect(judge(Users.aliceSecondList, pinned: list) == .same)
    }
  }

  @Test func `the next list follows the pin, whoever vouched for that`() throws {
    let third = SignedDeviceList(
      signing: must(
        DeviceList(
          identity: Users.alice.identity.publicKey, account: Users.aliceAccount, version: 3,
          previous: Users.aliceSecondList.hash, devices: [Users.alice.publicDevice])),
      with: Users.alice.identity,
      continuity: (
        id: 1, sign: { label, bytes in Users.alice.signing.sign(label: label, message: bytes.raw) }
      ))
    for list in try altered() + [Users.aliceSecondList] {
      #expect(list.hash == Users.aliceSecondList.hash)
      #expect(judge(third, pinned: list) == .continuous)
    }
  }

  @Test func `a newer list that a device vouches for is continuous`() {
    #expect(judge(Users.aliceSecondList, pinned: Users.aliceList) == .continuous)
  }

  @Test func `a newer list without a good statement is recovered`() {
    #expect(judge(Users.aliceNext(continuity: false), pinned: Users.aliceList) == .recovered)
    #expect(judge(list(of: Users.alice, version: 9), pinned: Users.aliceList) == .recovered)
    // Vouched for by a device of a list that is not the pin.
    #expect(
      judge(Users.aliceNext(continuity: true, version: 10), pinned: list(of: Users.alice, version: 9))
        == .recovered)
  }

  @Test func `another identity key is unexplained, whatever its version`() {
    for version: UInt64 in [1, 2, 3] {
      let strange = list(of: Users.bob, version: version)
      #expect(judge(strange, pinned: Users.aliceList) == .unexplained)
      #expect(judge(strange, pinned: Users.aliceSecondList) == .unexplained)
    }
  }

  @Test func `an older list, and another of the same version, are refused`() {
    #expect(judge(Users.aliceList, pinned: Users.aliceSecondList) == .refused)
    let other = list(of: Users.alice, version: 2)
    #expect(judge(other, pinned: Users.aliceSecondList) == .refused)
    #expect(judge(Users.aliceSecondList, pinned: other) == .refused)
    let alter = list(of: Users.alice)
    #expect(judge(alter, pinned: Users.aliceList) == .same, "made of the same")
  }

  @Test func `a list of another account is refused, pin or none`() {
    for pinned in [nil, Users.aliceList] {
      #expect(judge(Users.bobList, pinned: pinned) == .refused)
      #expect(judge(list(of: Users.alice, for: Users.bobAccount, version: 2), pinned: pinned) == .refused)
      let elsewhere = Account(name: Users.aliceAccount.name, registry: Users.bob.link.publicKey)
      #expect(judge(list(of: Users.alice, for: elsewhere, version: 2), pinned: pinned) == .refused)
    }
  }
}
