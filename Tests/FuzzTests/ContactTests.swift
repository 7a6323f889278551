import SecchatCore
import SecchatCrypto
import Testing

@testable import SecchatNode

/// What a profile's database holds of a peer is sealed there; it is read as if it were not.
@Suite struct ContactTests {
  private func contacts() throws -> [Contact] {
    let registry = LinkPublicKey(Random.bytes())
    let name = try #require(UserName("bob"))
    let account = Account(name: name, registry: registry)
    let lists = try (0..<2).map { _ in
      try #require(try SecretIdentity.generate(now: 1_700_000_000).firstDeviceList(for: account))
    }
    var contact = Contact(account: account, pinned: lists[0])
    var all = [contact]
    contact.isVerified = true
    contact.address = NetworkAddress(bytes: [192, 0, 2, 1], port: 7_500)
    all.append(contact)
    contact.offered = lists[1]
    contact.address = nil
    all.append(contact)
    return all
  }

  @Test func `what was written is read`() throws {
    for contact in try contacts() { #expect(Contact(decoding: contact.encoded) == contact) }
  }

  @Test func `cut, prolonged or changed, it is refused or means what it says`() throws {
    for contact in try contacts() {
      let bytes = contact.encoded
      for length in bytes.indices { #expect(Contact(decoding: Array(bytes[..<length])) == nil) }
      for byte: UInt8 in [0, 1, 0xff] { #expect(Contact(decoding: bytes + [byte]) == nil) }
      for index in bytes.indices {
        for bit in [0, 3, 7] {
          var changed = bytes
          changed[index] ^= 1 << UInt8(bit)
          guard let other = Contact(decoding: changed) else { continue }
          #expect(other.encoded == changed, "byte \(index)")
        }
      }
    }
  }
}
