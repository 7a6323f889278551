import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatRegistry
import Testing

extension User {
  /// A signed prekey of the first device.
  func signedPrekey(
    at registry: LinkPublicKey, id: UInt32 = 1, expires: UInt64 = 1 << 33
  ) -> SignedPrekey {
    SignedPrekey(
      signing: SignedPrekeyKey(Random.bytes()), id: id, expires: expires,
      for: Account(name: name, registry: registry), device: 1, with: secret.signing)
  }

  /// The first device.
  var owner: PrekeyOwner { PrekeyOwner(name: name, device: 1) }
}

/// One-time prekeys of those ids, with random keys.
func oneTimePrekeys(_ ids: ClosedRange<UInt32>) -> [OneTimePrekey] {
  ids.map { OneTimePrekey(id: $0, key: OneTimePrekeyKey(Random.bytes())) }
}

extension PrekeyOutcome {
  var oneTime: OneTimePrekey? { offer?.oneTime }
}

extension Client {
  func publish(
    replace: Bool = false, signed: SignedPrekey? = nil, used: [UInt32] = [], keys: [OneTimePrekey] = []
  ) async throws -> RegistryAnswer {
    try await ask { Publish(request: $0, replace: replace, signed: signed, used: used, keys: keys) }
  }

  func fetch(_ user: User, device: UInt32 = 1, reset: Fetch.Reset? = nil) async throws -> RegistryAnswer {
    try await ask { Fetch(request: $0, name: user.name, device: device, reset: reset) }
  }

  /// A RESET for this link by a device with those keys.
  func reset(
    _ failed: UInt32, of user: User, by asker: User, device: UInt32 = 1, at registry: LinkPublicKey
  ) -> Fetch.Reset {
    Fetch.Reset(
      signing: failed, handshakeHash: link.handshakeHash,
      account: Account(name: user.name, registry: registry),
      device: device, with: asker.secret.signing)
  }
}

/// A clock that a test turns.
final class TestClock: Sendable {
  private let seconds = Lock<UInt64>(1_700_000_000)
  var now: UInt64 { seconds.withLock { $0 } }
  func advance(by time: UInt64) { seconds.withLock { $0 += time } }
}
