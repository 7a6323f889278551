import SecchatCrypto
import TestSupport
import Testing

/// Serialised, because the observer sees the secrets of every test at once.
@Suite(.serialized) struct SecretBytesTests {
  /// What is wiped while `body` runs, as lengths, and whether any byte of any of it was left. Other suites release
  /// secrets at the same time, hence "at least" in what these tests expect; no byte may be left in theirs either.
  private func wiped(during body: () throws -> Void) rethrows -> (lengths: [Int], left: Int) {
    let seen = Lock<(lengths: [Int], left: Int)>(([], 0))
    SecretBytes.afterWipeForTestingOnly.withLock { observer in
      observer = { memory in
        let left = memory.array.count { $0 != 0 }
        seen.withLock { seen in
          seen.lengths.append(memory.byteCount)
          seen.left += left
        }
      }
    }
    defer { SecretBytes.afterWipeForTestingOnly.withLock { $0 = nil } }
    try body()
    return seen.withLock { $0 }
  }

  /// An odd length that no other test uses, so that the wipe that is seen is the one that is meant.
  @Test(arguments: [1, 31, 32, 33, 4_099, 70_001])
  func `every byte is wiped`(count: Int) {
    let result = wiped {
      let secret = SecretBytes([UInt8](repeating: 0xa5, count: count))
      #expect(secret.copied().count { $0 == 0xa5 } == count)
    }
    #expect(result.lengths.contains(count))
    #expect(result.left == 0)
  }

  @Test func `every type that holds a secret wipes it`() throws {
    func check(_ lengths: [Int], _ what: String, _ body: () throws -> Void) rethrows {
      let result = try wiped(during: body)
      #expect(result.left == 0, "\(what)")
      var seen = result.lengths
      for length in lengths {
        let place = seen.firstIndex(of: length)
        #expect(place != nil, "\(what): no wipe of \(length) bytes")
        if let place { seen.remove(at: place) }
      }
    }
    try check([32], "agreement key") { _ = try AgreementPrivateKey<LinkPurpose>.random() }
    try check([32, 64], "signing key and its seed") { _ = try SigningPrivateKey<DevicePurpose>.random() }
    try check([32, 32], "AEAD key and its duplicate") {
      let key = try AEADKey<XChaChaPoly>(SecretBytes([UInt8](repeating: 7, count: 32)))
      _ = key.duplicate()
    }
    try check([32, 32, 32, 32], "both ends of an agreement") {
      let (a, b) = (try link(1), try link(2))
      let (left, right) = (try a.shared(b), try b.shared(a))
      #expect(left == right)
    }
    // A digest, two key blocks, the pseudorandom key.
    check([77, 64, 64, 32], "HKDF") {
      let output = HKDF<SHA256>.array([1, 2, 3], salt: [], info: [], count: 77)
      #expect(output?.count == 77)
    }
    try check([32], "password hash") {
      _ = try PasswordHash.derive(
        passphrase: RawSpan(), salt: Random.bytes(), cost: PasswordHash.Cost(passes: 1, kibibytes: 64))
    }
    let failed = wiped {
      #expect(throws: CryptoError.authenticationFailed) {
        _ = try link(1).privateKey.sharedSecret(with: AgreementPublicKey<LinkPurpose>(FixedBytes()))
      }
    }
    #expect(failed.lengths.count { $0 == 32 } >= 2)
    #expect(failed.left == 0)
  }

  /// A key in a class, because closures cannot take non-copyable values along.
  private final class Link {
    let privateKey: AgreementPrivateKey<LinkPurpose>

    init(_ privateKey: consuming AgreementPrivateKey<LinkPurpose>) { self.privateKey = privateKey }

    func shared(_ other: Link) throws -> [UInt8] {
      let secret = try privateKey.sharedSecret(with: other.privateKey.publicKey)
      return secret.bytes.array
    }
  }

  private func link(_ byte: UInt8) throws -> Link {
    Link(try AgreementPrivateKey(SecretBytes([UInt8](repeating: byte, count: 32))))
  }

  @Test func `what a failing initialiser wrote is wiped`() {
    let result = wiped {
      #expect(throws: CryptoError.outOfMemory) {
        _ = try SecretBytes(
          count: 517,
          tryInitializedBy: { (target: inout MutableRawSpan) throws(CryptoError) in
            let bytes = [UInt8](repeating: 9, count: 517)
            target.copy(from: bytes.raw)
            throw .outOfMemory
          })
      }
    }
    #expect(result.lengths.contains(517))
    #expect(result.left == 0)
  }

  @Test func `a duplicate has its own bytes`() {
    var first = SecretBytes([1, 2, 3])
    let second = first.duplicate(in: .guarded)
    var span = first.mutableBytes
    span.storeBytes(of: 9, as: UInt8.self)
    #expect(first.copied() == [9, 2, 3])
    #expect(second.copied() == [1, 2, 3])
  }

  @Test func `guarded slots are used again, wiped and apart`() {
    // More than one region of 256 slots, twice over, within what a region costs.
    for round in UInt8(1)...2 {
      let secrets = (0..<600).map { index in
        Guarded([UInt8](repeating: round, count: 60) + [UInt8(index / 256), UInt8(index % 256), 0, 0])
      }
      for (index, secret) in secrets.enumerated() {
        let expected = [UInt8](repeating: round, count: 60) + [UInt8(index / 256), UInt8(index % 256), 0, 0]
        #expect(secret.secret.copied() == expected)
      }
    }
    let fresh = SecretBytes(count: 64, in: .guarded)
    #expect(fresh.copied() == [UInt8](repeating: 0, count: 64))
    let result = wiped { _ = SecretBytes([UInt8](repeating: 0xa5, count: 32), in: .guarded) }
    // The whole slot, whatever of it was used.
    #expect(result.lengths.contains(64))
    #expect(result.left == 0)
  }

  private final class Guarded {
    let secret: SecretBytes

    init(_ bytes: [UInt8]) { secret = SecretBytes(bytes, in: .guarded) }
  }

  @Test func `random secrets differ`() {
    let (a, b) = (SecretBytes.random(count: 32).bytes.array, SecretBytes.random(count: 32).bytes.array)
    #expect(a != b)
    #expect(Set(a).count > 8)
  }
}
