import SecchatCore
import SecchatCrypto
import SecchatNet
import Testing

@testable import SecchatRegistry

/// Accounts in memory; counts what it is asked.
private actor CountingStore: RegistryStore {
  private(set) var claims = 0
  private(set) var reads = 0
  private var accounts: [UserName: StoredAccount] = [:]

  func account(named name: UserName) async throws(StoreError) -> StoredAccount? {
    reads += 1
    return accounts[name]
  }

  func claim(_ account: StoredAccount) async throws(StoreError) -> ClaimOutcome {
    claims += 1
    let isNew = accounts.updateValue(account, forKey: account.name) == nil
    return isNew ? .claimed : .updated
  }

  func publish(
    _ message: Publish, of owner: PrekeyOwner, now: UInt64
  ) async throws(StoreError) -> PublishOutcome { .refused }

  func prekeys(for order: PrekeyOrder, now: UInt64) async throws(StoreError) -> PrekeyOutcome { .none }

  func forgetPrekeys(now: UInt64) async throws(StoreError) -> Bool { false }

  func close() async {}
}

@Suite struct AccountDirectoryTests {
  private let registry: LinkPublicKey

  init() throws { registry = try LinkKeyPair.random().publicKey }

  @Test @LoopActor func onlyWhatIsNewIsWritten() async throws {
    let store = CountingStore()
    let directory = AccountDirectory(store, cached: 10)
    let (ann, eve) = (try User("ann"), try User("ann"))
    let first = try ann.account(at: registry)
    #expect(try await directory.claim(first) == .claimed)
    #expect(await store.claims == 1)
    let reads = await store.reads
    for _ in 0..<5 { #expect(try await directory.claim(first) == .already) }
    #expect(try await directory.claim(eve.account(at: registry)) == .taken)
    #expect(await store.claims == 1)
    #expect(await store.reads == reads, "from memory")

    let second = StoredAccount(try ann.list(after: first.list))
    #expect(try await directory.claim(second) == .updated)
    #expect(await store.claims == 2)
    let other = StoredAccount(try ann.list(after: first.list, devices: [eve.secret.publicDevice]))
    for account in [first, other] { #expect(try await directory.claim(account) == .outdated) }
    #expect(await store.claims == 2)
    #expect(try await directory.account(named: ann.name)?.list.encoded == second.list.encoded)
  }

  @Test @LoopActor func whatIsNotInMemoryIsReadAndNotWritten() async throws {
    let store = CountingStore()
    let account = try User("ann").account(at: registry)
    _ = try await store.claim(account)
    let directory = AccountDirectory(store, cached: 10)
    #expect(try await directory.claim(account) == .already)
    #expect(await store.claims == 1)
  }

  @Test @LoopActor func aListVouchedForOtherwiseTakesNoPlace() async throws {
    let directory = AccountDirectory(CountingStore(), cached: 10)
    let ann = try User("ann")
    let first = try ann.list(at: registry)
    let vouched = StoredAccount(try ann.list(after: first, continuous: true))
    let bare = StoredAccount(try ann.list(after: first))
    #expect(try await directory.claim(vouched) == .claimed)
    #expect(try await directory.claim(bare) == .already)
    #expect(try await directory.account(named: ann.name)?.list.encoded == vouched.list.encoded)
  }
}
