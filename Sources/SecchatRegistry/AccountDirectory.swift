internal import SecchatCore
internal import SecchatNet

/// The store behind a memory of the accounts last asked for. Names that nobody has are not remembered: asking for many
/// of them must not drive out those that are in use.
@LoopActor final class AccountDirectory {
  private let store: any RegistryStore
  private var cache: GenerationCache<UserName, StoredAccount>

  init(_ store: any RegistryStore, cached: Int) {
    self.store = store
    cache = GenerationCache(capacity: cached)
  }

  /// The account, where it is in memory.
  func known(_ name: UserName) -> StoredAccount? { cache[name] }

  func account(named name: UserName) async throws(StoreError) -> StoredAccount? {
    if let account = cache[name] { return account }
    guard let account = try await store.account(named: name) else { return nil }
    return remember(account)
  }

  /// What can be answered without writing is: no name ever changes hands, and versions only grow.
  func claim(_ account: StoredAccount) async throws(StoreError) -> ClaimOutcome {
    if let held = try await self.account(named: account.name) {
      guard held.identity == account.identity else { return .taken }
      guard held.version < account.version else { return held.list == account.list ? .already : .outdated }
    }
    let outcome = try await store.claim(account)
    switch outcome {
    case .claimed, .updated: _ = remember(account)
    case .already, .outdated, .taken: break
    }
    return outcome
  }

  /// A newer list may have come while an older one was being read: the newer one stays.
  private func remember(_ account: StoredAccount) -> StoredAccount {
    if let known = cache[account.name], known.version > account.version { return known }
    cache[account.name] = account
    return account
  }
}
