import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// What a registry that lies can and cannot do to a node.
@Suite(.serialized) struct LyingRegistryTests {
  /// A profile with an account at the registry.
  private func profile(
    _ name: String, at registry: LyingRegistry, in folder: TemporaryFolder
  ) async throws -> Profile {
    let home = folder.file(name)
    let passphrase = Passphrase(Array("correct horse".utf8).raw)
    _ = try await NodeConnection.generateIdentity(home: home, passphrase: passphrase)
    let profile = Profile(home: home, passphrase: passphrase)
    let user = await "\(name)@127.0.0.1:\(registry.port)"
    let key = await registry.keyText
    #expect(try await profile.ask(.register(user: user, registryKey: key)).status == .done)
    return profile
  }

  private struct Profile: Sendable {
    let home: String
    let passphrase: Passphrase

    /// Asks a node that runs for this one request.
    func ask(_ request: Request) async throws -> (status: SecchatNode.ExitStatus, events: [Event]) {
      let connection = try await NodeConnection.open(home: home, passphrase: .given(passphrase))
      let log = EventLog()
      let status = await connection.perform(request) { log.append($0) }
      await connection.finish()
      return (status, log.events)
    }

    func chat(
      _ user: String, timeout: Double = 5
    ) async throws -> (status: SecchatNode.ExitStatus, events: [Event]) {
      try await ask(
        .chat(user: user, id: Hex.encode(randomBytes(16)), text: "for your eyes", timeout: timeout))
    }

    /// Runs the profile's node while `body` does.
    func serving(
      isReady: @escaping @Sendable () -> Bool = { true },
      _ body: @escaping @Sendable (EventLog) async throws -> Void
    ) async throws {
      let log = EventLog()
      let failure = Lock<(any Error)?>(nil)
      var options = NodeOptions()
      options.listen = "127.0.0.1:0"
      let status = await NodeConnection.serve(
        home: home, options: options, passphrase: .given(passphrase), onEvent: { log.append($0) },
        isReady: isReady
      ) { connection in
        do {
          try await log.wait { if case .online = $0 { true } else { false } }
          try await body(log)
        } catch { failure.withLock { $0 = error } }
        await connection.finish()
      }
      if let error = failure.withLock({ $0 }) { throw error }
      #expect(status == .done)
    }
  }

  @Test func honestlyItWorks() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let bob = try await profile("bob", at: registry, in: folder)
    try await bob.serving { log in
      let outcome1 = try await alice.chat("bob").status
      #expect(outcome1 == .done)
      try await log.wait {
        if case .message(let message) = $0 { message.text == "for your eyes" } else { false }
      }
    }
    await registry.stop()
  }

  @Test func aNodeWhoseReaderIsBehindTakesNothing() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let bob = try await profile("bob", at: registry, in: folder)
    let isReady = Lock(false)
    try await bob.serving(isReady: { isReady.withLock { $0 } }) { log in
      let refused = try await alice.chat("bob", timeout: 1)
      #expect(refused.status == .peerOffline)
      guard case .error(let failure) = refused.events.last else {
        Issue.record("no error")
        return
      }
      #expect(failure.message.contains("busy"))
      isReady.withLock { $0 = true }
      let taken = try await alice.chat("bob").status
      #expect(taken == .done)
      // The one that was refused has gone out again, before the other.
      try await log.wait { _ in log.events.count { if case .message = $0 { true } else { false } } == 2 }
    }
    await registry.stop()
  }

  @Test func anothersListUnderTheNameAskedFor() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let bob = try await profile("bob", at: registry, in: folder)
    _ = try await profile("mallory", at: registry, in: folder)
    try await bob.serving { log in
      await registry.lie { registry, request in
        guard case .lookup(let lookup) = request, lookup.name.text == "bob",
          let mallory = registry.lists[UserName("mallory")!]
        else { return nil }
        return Found(request: lookup.request, address: registry.addresses[lookup.name], list: mallory.encoded)
      }
      let outcome2 = try await alice.chat("bob").status
      #expect(outcome2 == .untrusted)
      #expect(!log.events.contains { if case .message = $0 { true } else { false } })
    }
    await registry.stop()
  }

  @Test func theRightKeysAtAnothersAddress() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    _ = try await profile("bob", at: registry, in: folder)
    let mallory = try await profile("mallory", at: registry, in: folder)
    try await mallory.serving { log in
      await registry.lie { registry, request in
        guard case .lookup(let lookup) = request, lookup.name.text == "bob",
          let bob = registry.lists[lookup.name]
        else { return nil }
        let address = registry.addresses[UserName("mallory")!]
        return Found(request: lookup.request, address: address, list: bob.encoded)
      }
      let outcome3 = try await alice.chat("bob").status
      #expect(outcome3 == .peerOffline)
      #expect(!log.events.contains { if case .message = $0 { true } else { false } })
    }
    await registry.stop()
  }

  /// A list for bob's account under mallory's own identity key: before the first contact nobody can tell, afterwards
  /// everybody does.
  @Test func anotherIdentityAfterThePin() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let bob = try await profile("bob", at: registry, in: folder)
    try await bob.serving { log in
      let outcome4 = try await alice.chat("bob").status
      #expect(outcome4 == .done)
      let forged = try await registry.forgedList(for: "bob")
      await registry.lie { registry, request in
        guard case .lookup(let lookup) = request, lookup.name.text == "bob" else { return nil }
        return Found(request: lookup.request, address: registry.addresses[lookup.name], list: forged.encoded)
      }
      let before = log.count
      let (status, events) = try await alice.chat("bob")
      #expect(status == .untrusted)
      #expect(
        events.contains {
          if case .keyChange(let change) = $0 { change.verdict == "unexplained" } else { false }
        })
      #expect(log.count == before)
      // The registry tells the truth again: still nothing goes out until the user has decided between the two.
      await registry.lie { _, _ in nil }
      let between = try await alice.chat("bob").status
      #expect(between == .untrusted)
      let pinned = try await registry.fingerprint(of: "bob")
      let trusted = try await alice.ask(.trust(user: "bob", fingerprint: pinned)).status
      #expect(trusted == .done)
      let outcome5 = try await alice.chat("bob").status
      #expect(outcome5 == .done)
    }
    await registry.stop()
  }

  /// Anybody can sign a list for alice's name under a key of his own. Where the registry does not say the same, dialling
  /// with it raises no alarm.
  @Test func aStrangersListForAPinnedName() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let bob = try await profile("bob", at: registry, in: folder)
    try await bob.serving { log in
      let pinning = try await alice.chat("bob").status
      #expect(pinning == .done)
      let before = log.count
      let isLetIn = try await registry.dial("bob", as: "alice")
      #expect(!isLetIn)
      #expect(log.count == before)
      let after = try await alice.chat("bob").status
      #expect(after == .done)
    }
    await registry.stop()
  }

  @Test func listsThatNobodySigned() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    _ = try await profile("bob", at: registry, in: folder)
    await registry.lie { registry, request in
      guard case .lookup(let lookup) = request, var list = registry.lists[lookup.name]?.encoded else {
        return nil
      }
      list[60] ^= 1
      return Found(request: lookup.request, address: nil, list: list)
    }
    let outcome6 = try await alice.ask(.lookup(user: "bob")).status
    #expect(outcome6 == .integrity)
    let outcome7 = try await alice.chat("bob").status
    #expect(outcome7 == .integrity)
    await registry.stop()
  }

  @Test func aListThatGoesOnForEver() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    let identity = try await registry.forgedList(for: "bob").list.identity
    await registry.lie { _, request in
      guard case .list(let list) = request else { return nil }
      let entry = Listed.Entry(
        name: UserName("bob")!, identity: identity, address: NetworkAddress(unspecified: ()))
      return Listed(request: list.request, more: true, entries: [entry])
    }
    let outcome8 = try await alice.ask(.list).status
    #expect(outcome8 == .internal)
    await registry.stop()
  }

  /// Whoever takes the registry's place without its key can end no node that is at work.
  @Test func anotherRegistryInItsPlace() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let registry = try await LyingRegistry()
    let alice = try await profile("alice", at: registry, in: folder)
    await registry.stop()
    let user = await "alice@127.0.0.1:\(registry.port)"
    // The same address, another key: told apart from a registry that is away.
    guard let impostor = try? await LyingRegistry(port: registry.port) else { return }
    let outcome9 = try await alice.ask(.list).status
    #expect(outcome9 == .untrusted)
    let outcome10 = try await alice.ask(.register(user: user, registryKey: nil)).status
    #expect(outcome10 == .untrusted)
    await impostor.stop()
  }
}

extension LyingRegistry {
  /// Answers by `answer` from now on; nil is the truth.
  func lie(_ answer: @escaping @LoopActor @Sendable (LyingRegistry, RegistryRequest) -> (any WireMessage)?) {
    self.answer = { [unowned self] request in answer(self, request) }
  }

  /// The fingerprint of the identity that claimed a name.
  func fingerprint(of name: String) throws -> String {
    let list = try #require(UserName(name).flatMap { lists[$0] })
    return Fingerprint(of: list.list.identity).description
  }

  /// Links to a user's node with a list for somebody's account under an identity key of the attacker's.
  ///
  /// - Returns: whether the node says anything on the link.
  func dial(_ user: String, as name: String) async throws -> Bool {
    let forger = try SecretIdentity.generate(now: 1)
    let account = Account(name: try #require(UserName(name)), registry: key.publicKey)
    let hello = Hello(device: 1, list: try #require(forger.firstDeviceList(for: account)))
    let theirs = try #require(UserName(user).flatMap { lists[$0] }).list
    let device = try #require(theirs.devices.first)
    let port = try #require(addresses[theirs.account.name]).port
    let stream = try await ByteStream.connect(host: "127.0.0.1", port: port, timeout: 60_000)
    let link = try await SealedLink.connect(
      stream, prologue: Prologue.peer(theirs.account, device: device.id), local: forger.link,
      remote: device.link
    ) { (_) throws(LinkError) in hello.encoded }
    link.deadline = .now + 60_000
    do throws(LinkError) {
      _ = try await link.receive { (type, _) throws(WireError) in type }
      return true
    } catch {
      #expect(error != .network(.timedOut))
      return false
    }
  }

  /// A list for an account of this registry under an identity key of the attacker's.
  func forgedList(for name: String) throws -> SignedDeviceList {
    let forger = try SecretIdentity.generate(now: 1)
    let account = Account(name: try #require(UserName(name)), registry: key.publicKey)
    return try #require(forger.firstDeviceList(for: account))
  }
}
