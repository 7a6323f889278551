import SecchatCore
import SecchatCrypto
import SecchatRegistry
import Testing

/// What any `RegistryStore` must do. `open` opens the same storage each time, as after a restart; the store before has
/// been closed.
struct RegistryStoreConformance<Store: RegistryStore> {
  let open: @Sendable () async throws -> Store
  private let registry: LinkPublicKey

  init(open: @escaping @Sendable () async throws -> Store) throws {
    self.open = open
    registry = try LinkKeyPair.random().publicKey
  }

  func run() async throws {
    try await anUnknownNameIsNobodys()
    try await whatIsClaimedIsFound()
    try await theSameClaimAgain()
    try await theSameListVouchedForOtherwise()
    try await otherKeysAreRefused()
    try await aNewerListReplaces()
    try await anOlderOrAnotherListDoesNot()
    try await oneOfManyWins()
    try await manyNamesAtOnce()
    try await whatIsClosedIsUnavailable()
    try await PrekeyConformance(open: open, registry: registry).run()
  }

  private func account(_ name: String) throws -> (User, StoredAccount) {
    let user = try User(name)
    return (user, try user.account(at: registry))
  }

  private func anUnknownNameIsNobodys() async throws {
    let store = try await open()
    let name = try #require(UserName("nobody"))
    #expect(try await store.account(named: name) == nil)
    await store.close()
  }

  private func whatIsClaimedIsFound() async throws {
    let (user, account) = try account("found")
    var store = try await open()
    #expect(try await store.claim(account) == .claimed)
    #expect(try await store.account(named: user.name) == account)
    await store.close()
    store = try await open()
    #expect(try await store.account(named: user.name) == account)
    await store.close()
  }

  private func theSameClaimAgain() async throws {
    let (_, account) = try account("again")
    var store = try await open()
    #expect(try await store.claim(account) == .claimed)
    #expect(try await store.claim(account) == .already)
    await store.close()
    store = try await open()
    #expect(try await store.claim(account) == .already)
    await store.close()
  }

  private func theSameListVouchedForOtherwise() async throws {
    let (user, first) = try account("vouched")
    let second = StoredAccount(try user.list(after: first.list, continuous: true))
    let bare = StoredAccount(try user.list(after: first.list))
    #expect(bare.list.encoded != second.list.encoded)
    let store = try await open()
    #expect(try await store.claim(first) == .claimed)
    #expect(try await store.claim(second) == .updated)
    #expect(try await store.claim(bare) == .already)
    // What was there first stays.
    #expect(try await store.account(named: user.name)?.list.encoded == second.list.encoded)
    await store.close()
  }

  private func otherKeysAreRefused() async throws {
    let (user, first) = try account("held")
    let (_, second) = try account("held")
    let store = try await open()
    #expect(try await store.claim(first) == .claimed)
    #expect(try await store.claim(second) == .taken)
    #expect(try await store.account(named: user.name) == first)
    await store.close()
  }

  private func aNewerListReplaces() async throws {
    let (user, first) = try account("newer")
    let second = StoredAccount(try user.list(after: first.list))
    var store = try await open()
    #expect(try await store.claim(first) == .claimed)
    #expect(try await store.claim(second) == .updated)
    #expect(try await store.claim(second) == .already)
    #expect(try await store.account(named: user.name) == second)
    await store.close()
    store = try await open()
    #expect(try await store.account(named: user.name) == second)
    await store.close()
  }

  private func anOlderOrAnotherListDoesNot() async throws {
    let (user, first) = try account("older")
    let second = StoredAccount(try user.list(after: first.list))
    let other = StoredAccount(
      try user.list(after: first.list, devices: [try User("other").secret.publicDevice]))
    let store = try await open()
    #expect(try await store.claim(first) == .claimed)
    #expect(try await store.claim(second) == .updated)
    #expect(try await store.claim(first) == .outdated)
    #expect(other.version == second.version)
    #expect(try await store.claim(other) == .outdated)
    #expect(try await store.account(named: user.name) == second)
    await store.close()
  }

  private func oneOfManyWins() async throws {
    let accounts = try (0..<100).map { _ in try account("raced").1 }
    var store = try await open()
    let winners = try await withThrowingTaskGroup(of: StoredAccount?.self) { [store] group in
      for account in accounts {
        group.addTask {
          switch try await store.claim(account) {
          case .claimed: return account
          case .taken: return nil
          case let other:
            Issue.record("\(other)")
            return nil
          }
        }
      }
      return try await group.reduce(into: [StoredAccount]()) { if let account = $1 { $0.append(account) } }
    }
    #expect(winners.count == 1)
    #expect(try await store.account(named: accounts[0].name) == winners.first)
    await store.close()
    store = try await open()
    #expect(try await store.account(named: accounts[0].name) == winners.first)
    await store.close()
  }

  private func manyNamesAtOnce() async throws {
    let accounts = try (0..<200).map { try account("many-\($0)").1 }
    var store = try await open()
    try await withThrowingTaskGroup(of: ClaimOutcome.self) { [store] group in
      for account in accounts { group.addTask { try await store.claim(account) } }
      for try await outcome in group { #expect(outcome == .claimed) }
    }
    await store.close()
    store = try await open()
    for account in accounts { #expect(try await store.account(named: account.name) == account) }
    await store.close()
  }

  private func whatIsClosedIsUnavailable() async throws {
    let (user, account) = try account("late")
    let store = try await open()
    await store.close()
    await #expect(throws: StoreError.self) { try await store.claim(account) }
    await #expect(throws: StoreError.self) { try await store.account(named: user.name) }
    let owner = PrekeyOwner(name: user.name, device: 1)
    await #expect(throws: StoreError.self) { try await store.publish(Publish(request: 1), of: owner, now: 1) }
    let order = PrekeyOrder(
      owner: owner, requester: user.name, limits: PrekeyLimits(perDevice: 1, perRequester: 1))
    await #expect(throws: StoreError.self) { try await store.prekeys(for: order, now: 1) }
    await #expect(throws: StoreError.self) { try await store.forgetPrekeys(now: 1) }
    await store.close()
  }
}
