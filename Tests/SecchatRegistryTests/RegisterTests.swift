import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import Testing

@Suite struct RegisterTests {
  @Test func aNameIsClaimedOnceAndKept() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      var client = try await registry.client(of: user)
      #expect(try await registry.register(user, over: client).registered?.already == false)
      #expect(try await registry.register(user, over: client).registered?.already == true)
      client = try await registry.client(of: user)
      #expect(try await registry.register(user, over: client).registered?.already == true)
      #expect(try await registry.store.account(named: user.name) == user.account(at: registry.key))
    }
  }

  @Test func aNameOfOtherKeysIsTaken() async throws {
    try await withRegistry { registry in
      let (first, second) = (try User("ann"), try User("ann"))
      _ = try await registry.register(first, over: registry.client(of: first))
      let client = try await registry.client(of: second)
      #expect(try await registry.register(second, over: client).failure == .nameTaken)
      #expect(try await registry.store.account(named: first.name) == first.account(at: registry.key))
    }
  }

  @Test func ofManyAtOnceOneGetsTheName() async throws {
    try await withRegistry { registry in
      let users = try (0..<60).map { _ in try User("ann") }
      var claimed = 0
      try await withThrowingTaskGroup(of: RegistryAnswer.self) { group in
        for user in users {
          group.addTask { try await registry.register(user, over: registry.client(of: user)) }
        }
        for try await answer in group {
          if answer.registered != nil { claimed += 1 } else { #expect(answer.failure == .nameTaken) }
        }
      }
      #expect(claimed == 1)
    }
  }

  // MARK: Nobody registers another's keys

  private func expectRefused(
    _ user: User, in registry: TestRegistry, _ attempt: (Client) async throws -> RegistryAnswer
  ) async throws {
    let client = try await registry.client(of: user)
    #expect(try await attempt(client).failure == .badRequest)
    #expect(try await registry.store.account(named: user.name) == nil)
  }

  @Test func theIdentityKeyItselfMustSign() async throws {
    try await withRegistry { registry in
      let (user, other) = (try User("ann"), try User("eve"))
      try await expectRefused(user, in: registry) {
        try await $0.register(user.list(at: registry.key), by: other)
      }
    }
  }

  @Test func aSignatureForAnotherLinkIsNoUse() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let other = try await registry.client(of: user)
      let list = try user.list(at: registry.key)
      try await expectRefused(user, in: registry) { client in
        let statement = Register.statement(
          handshakeHash: other.link.handshakeHash, account: list.list.account, list: list.encoded)
        let signature = user.secret.identity.sign(label: Labels.register, message: statement.raw)
        return try await client.ask { Register(request: $0, list: list.encoded, signature: signature) }
      }
    }
  }

  @Test func aSignatureOfAnotherPurposeIsNoUse() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let list = try user.list(at: registry.key)
      try await expectRefused(user, in: registry) { client in
        let statement = Register.statement(
          handshakeHash: client.link.handshakeHash, account: list.list.account, list: list.encoded)
        let signature = user.secret.identity.sign(label: Labels.deviceList, message: statement.raw)
        return try await client.ask { Register(request: $0, list: list.encoded, signature: signature) }
      }
    }
  }

  @Test func aListForAnotherRegistryIsRefused() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let elsewhere = try LinkKeyPair.random().publicKey
      try await expectRefused(user, in: registry) {
        try await $0.register(user.list(at: elsewhere), by: user)
      }
    }
  }

  @Test func aListWithoutTheLinksDeviceIsRefused() async throws {
    try await withRegistry { registry in
      let user = try User("ann")
      let client = try await registry.client(.random())
      #expect(try await client.register(user.list(at: registry.key), by: user).failure == .badRequest)
      #expect(try await registry.store.account(named: user.name) == nil)
    }
  }

  @Test func everyChangedByteOfTheListIsNoticed() async throws {
    try await withRegistry(configure: {
      $0.refusals = .max; $0.signups = Rate(10_000, per: 1_000)
    }) { registry in
      let user = try User("ann")
      let list = try user.list(at: registry.key).encoded
      let client = try await registry.client(of: user)
      for index in list.indices {
        var bytes = list
        bytes[index] ^= 1
        let statement = Register.statement(
          handshakeHash: client.link.handshakeHash, account: Account(name: user.name, registry: registry.key),
          list: bytes)
        let signature = user.secret.identity.sign(label: Labels.register, message: statement.raw)
        let answer = try await client.ask { Register(request: $0, list: bytes, signature: signature) }
        #expect(answer.failure == .badRequest, "byte \(index)")
      }
    }
  }

  @Test func onceLoggedInOnlyOnesOwnNameMayBeRegistered() async throws {
    try await withRegistry { registry in
      let ann = try User("ann")
      let client = try await registry.online(ann)
      #expect(try await registry.register(ann, over: client).registered?.already == true)
      let name = try #require(UserName("bob"))
      let list = try #require(ann.secret.firstDeviceList(for: Account(name: name, registry: registry.key)))
      #expect(try await client.register(list, by: ann).failure == .badRequest)
    }
  }

  // MARK: Newer lists

  @Test func aDeviceThatANewListDropsLosesItsLinks() async throws {
    try await withRegistry { registry in
      let (ann, phone) = (try User("ann"), try User("phone"))
      let first = try ann.list(at: registry.key)
      let client = try await registry.online(ann)
      let device = Device(
        id: 2, link: phone.secret.link.publicKey, messaging: phone.secret.messaging.publicKey,
        signing: phone.secret.signing.publicKey, created: 1)
      let second = try ann.list(after: first, devices: [device])
      let other = try await registry.client(of: phone)
      #expect(try await other.register(second, by: ann).registered?.already == true)
      #expect(await client.ending() == .closed(.done))
      #expect(try await registry.client(of: ann).logIn(ann).failure == .loginFailed)
      #expect(try await other.logIn(ann, device: 2).loggedIn != nil)
      // Back to the old list: refused.
      #expect(try await registry.client(of: ann).register(first, by: ann).failure == .badRequest)
    }
  }

  // MARK: Rate

  @Test func signUpsOfAnAddressAreLimited() async throws {
    try await withRegistry(host: "::", configure: { $0.signups = Rate(3, per: 3_600_000) }) { registry in
      for index in 0..<3 {
        let user = try User("user-\(index)")
        let client = try await registry.client(of: user)
        #expect(try await registry.register(user, over: client).registered?.already == false)
        // The same again costs nothing.
      }
      let user = try User("late")
      let answer = try await registry.register(user, over: registry.client(of: user))
      guard case .failure(let failure) = answer else { throw LinkError.protocolError }
      #expect(failure.reason == .rateLimited)
      #expect((1...1_200).contains(failure.wait))
      // Another address is not concerned.
      let far = try await registry.client(of: user, host: "::1")
      #expect(try await registry.register(user, over: far).registered?.already == false)
    }
  }

  @Test func theSameAgainIsNotCounted() async throws {
    try await withRegistry(configure: { $0.signups = Rate(2, per: 3_600_000) }) { registry in
      let user = try User("ann")
      let client = try await registry.client(of: user)
      _ = try await registry.register(user, over: client)
      for _ in 0..<5 { #expect(try await registry.register(user, over: client).registered?.already == true) }
    }
  }

  @Test func theSameTooOftenIsCounted() async throws {
    try await withRegistry(configure: {
      $0.signups = Rate(3, per: 3_600_000); $0.repeats = Rate(4, per: 3_600_000)
    }) { registry in
      let user = try User("ann")
      let client = try await registry.client(of: user)
      #expect(try await registry.register(user, over: client).registered?.already == false)
      // Four are free; then the two that are left.
      for _ in 0..<6 { #expect(try await registry.register(user, over: client).registered?.already == true) }
      #expect(try await registry.register(user, over: client).failure == .rateLimited)
    }
  }
}
