import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import Testing

@testable import SecchatNode

/// Those who have met meet again, whatever the registry says; and who is not there is said not to be.
@Suite(.serialized) struct KnownPeersTests {
  enum Lie: CaseIterable {
    case offline, unknown, limited, failing, elsewhere, anothersList, contradictoryList, badSignature

    /// What the user reads of it where the peer is really gone.
    var status: SecchatNode.ExitStatus {
      switch self {
      case .offline, .elsewhere: .peerOffline
      case .unknown: .usage
      case .limited: .rateLimited
      case .failing: .internal
      case .anothersList, .contradictoryList: .untrusted
      case .badSignature: .integrity
      }
    }
  }

  /// Makes the registry lie about bob from now on.
  @LoopActor private func tell(_ lie: Lie, _ registry: LyingRegistry, of bob: NodeAtWork) throws {
    let honest = try bob.node.ownList()
    let identity = bob.node.identity
    let other = try Stranger("mallory", at: registry).list
    let nowhere = NetworkAddress(bytes: [127, 0, 0, 1], port: 1)
    let contradiction = SignedDeviceList(
      signing: try #require(
        DeviceList(
          identity: identity.identity.publicKey, account: honest.list.account, version: 1,
          previous: FixedBytes(), devices: other.list.devices)),
      with: identity.identity)
    var broken = honest.encoded
    broken[60] ^= 1
    registry.lie { [broken] registry, request in
      guard case .lookup(let lookup) = request, lookup.name.text == "bob" else { return nil }
      let number = lookup.request
      let address = registry.addresses[lookup.name]
      return switch lie {
      case .offline: Found(request: number, address: nil, list: honest.encoded)
      case .unknown: Failure(request: number, reason: .unknownName)
      case .limited: Failure(request: number, reason: .rateLimited)
      case .failing: Failure(request: number, reason: .badRequest)
      case .elsewhere: Found(request: number, address: nowhere, list: honest.encoded)
      case .anothersList: Found(request: number, address: address, list: other.encoded)
      case .contradictoryList: Found(request: number, address: address, list: contradiction.encoded)
      case .badSignature: Found(request: number, address: address, list: broken)
      }
    }
  }

  @Test @LoopActor func noWordOfTheRegistryKeepsThemApart() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    #expect(await alice.chat("bob").status == .done)
    for (count, lie) in Lie.allCases.enumerated() {
      try await alice.hangUp()
      try tell(lie, registry, of: bob)
      let (status, error) = await alice.chat("bob")
      #expect(status == .done, "\(lie): \(error ?? "")")
      #expect(bob.texts.count == count + 2)
    }
    #expect(alice.changes == 0)
    // Who is really gone: the registry's word is what the user reads.
    await bob.node.close()
    for lie in Lie.allCases {
      // What waits must not be looking for him meanwhile: attempts are shared.
      try await alice.forgetWaiting()
      try await alice.hangUp()
      try tell(lie, registry, of: bob)
      let (status, error) = await alice.chat("bob")
      #expect(status == lie.status, "\(lie): \(error ?? "")")
      if lie == .offline { #expect(error?.hasPrefix("bob is offline;") == true) }
    }
    registry.lie { _, _ in nil }
    await alice.node.close()
    registry.stop()
  }

  /// Where the last known address swallows everything, the user hears soon that the peer is offline: sooner still where
  /// he waits for less.
  @Test @LoopActor func aLastAddressThatSwallowsEverything() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    #expect(await alice.chat("bob").status == .done)
    let address = try #require(bob.node.listener?.address)
    await bob.node.close()
    try await alice.hangUp()
    let silent = try Listener(address: address)
    try tell(.offline, registry, of: bob)
    for timeout in [60, 0.2] {
      let begun = Instant.now
      let (status, error) = await alice.chat("bob", timeout: timeout)
      #expect(status == .peerOffline && error?.hasPrefix("bob is offline;") == true, "\(error ?? "")")
      #expect(Instant.now - begun < 8_000)
    }
    silent.close()
    await alice.node.close()
    registry.stop()
  }

  /// A registry that reports another identity key is not gone around: the user decides.
  @Test @LoopActor func aChangedKeyStopsThemAllTheSame() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    #expect(await alice.chat("bob").status == .done)
    try await alice.hangUp()
    let forged = try registry.forgedList(for: "bob")
    registry.lie { _, request in
      guard case .lookup(let lookup) = request, lookup.name.text == "bob" else { return nil }
      return Found(request: lookup.request, address: nil, list: forged.encoded)
    }
    for _ in 0..<2 { #expect(await alice.chat("bob").status == .untrusted) }
    #expect(alice.changes > 0)
    #expect(bob.texts.count == 1)
    registry.lie { _, _ in nil }
    await alice.node.close()
    await bob.node.close()
    registry.stop()
  }
}
