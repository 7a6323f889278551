import Glibc
import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatRegistry

/// A registry that limits nobody, with `--accounts` accounts in a database of its own; runs until it is ended.
///
/// All accounts hold the same keys, those of `Population`: what is measured is the registry, not who asks.
@LoopActor func serveRegistry(_ options: Options) async throws {
  let folder = try options.text("data")
  let store = try SQLiteStore(path: folder + "/bench.db")
  let population = try Population()
  let accounts = options.count("accounts", or: 10_000)
  try await fill(store, population, accounts)

  var configuration = RegistryConfiguration()
  let unlimited = Rate(1_000_000_000, per: 1_000)
  configuration.lookups = unlimited
  configuration.logins = unlimited
  configuration.handshakes = unlimited
  configuration.life = 3_600_000
  configuration.connections = 19_000
  configuration.connectionsPerAddress = 19_000
  configuration.halfOpen = 19_000
  configuration.halfOpenPerAddress = 19_000
  guard let address = SocketAddress(host: "127.0.0.1", port: 0) else { throw Trouble("no address") }
  let registry = try Registry(
    address: address, keys: population.registry, store: store, configuration: configuration)
  print("listening \(registry.address.port) process \(getpid()) accounts \(accounts)")
  fflush(nil)
  // Ends with its driver.
  await Loop.offload { while getchar() != EOF {} }
  await registry.stop()
}

@LoopActor private func fill(_ store: SQLiteStore, _ population: Population, _ count: Int) async throws {
  guard try await store.account(named: population.name(count - 1)) == nil else { return }
  try await withThrowingTaskGroup(of: Void.self) { group in
    let lanes = 512
    for lane in 0..<lanes {
      group.addTask(executorPreference: globalConcurrentExecutor) {
        for index in stride(from: lane, to: count, by: lanes) {
          _ = try await store.claim(StoredAccount(population.list(index)))
        }
      }
    }
    try await group.waitForAll()
  }
}

/// Accounts that the server and the load agree on without a word: keys from fixed seeds. For measuring only.
struct Population: Sendable {
  let registry: LinkKeyPair
  let identity: SecretIdentity

  init() throws {
    registry = LinkKeyPair(try AgreementPrivateKey(Self.seed(1)))
    identity = SecretIdentity(
      identity: try SigningPrivateKey(seed: Self.seed(2)), device: 1, created: 1,
      link: try AgreementPrivateKey(Self.seed(3)), messaging: try AgreementPrivateKey(Self.seed(4)),
      signing: try SigningPrivateKey(seed: Self.seed(5)), storage: .random())
  }

  private static func seed(_ byte: UInt8) -> SecretBytes {
    SecretBytes(copying: [UInt8](repeating: byte, count: 32).raw)
  }

  func name(_ index: Int) -> UserName {
    let digits = String(index)
    guard let name = UserName("user-" + String(repeating: "0", count: max(0, 7 - digits.count)) + digits)
    else {
      preconditionFailure("a name of digits")
    }
    return name
  }

  func list(_ index: Int) throws -> SignedDeviceList {
    let account = Account(name: name(index), registry: registry.publicKey)
    guard let list = identity.firstDeviceList(for: account) else { throw Trouble("no list") }
    return list
  }
}
