import Glibc
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet

/// One client's side of a link to a registry.
@LoopActor final class Client {
  let link: SealedLink
  private var last: UInt32 = 0

  private init(_ link: SealedLink) { self.link = link }

  static func connect(_ port: UInt16, _ registry: LinkPublicKey, as keys: LinkKeyPair) async throws -> Client
  {
    guard let address = SocketAddress(host: "127.0.0.1", port: port) else { throw Trouble("no address") }
    let stream = try await ByteStream.connect(to: address, timeout: 60_000)
    return Client(
      try await SealedLink.connect(
        stream, prologue: Prologue.registry, local: keys, remote: registry, time: 60_000))
  }

  func ask(_ make: (UInt32) -> some WireMessage) {
    last += 1
    link.send(make(last))
  }

  func answer() async throws -> RegistryAnswer {
    try await link.receive { (type, body) throws(WireError) in try RegistryAnswer(type: type, body: body) }
  }

  /// A client of the population that is logged in.
  static func online(_ port: UInt16, _ population: Population, _ index: Int) async throws -> Client {
    let client = try await connect(port, population.registry.publicKey, as: population.identity.link)
    try await client.logIn(population.name(index))
    return client
  }

  func logIn(_ name: UserName, port: UInt16 = 4_000) async throws {
    ask { Login(request: $0, name: name, device: 1, port: port) }
    guard case .loggedIn = try await answer() else { throw Trouble("the log-in was refused") }
  }
}

/// Connections that log in and leave, so many a second: TCP, handshake, LOGIN and its answer.
@LoopActor func logins(_ options: Options) async throws {
  let population = try Population()
  let port = UInt16(options.count("port", or: 0))
  let accounts = options.count("accounts", or: 10_000)
  let total = options.count("count", or: 5_000)
  let lanes = options.count("lanes", or: 32)
  let begun = now()
  try await inLanes(lanes) { lane in
    for index in stride(from: lane, to: total, by: lanes) {
      try await Client.online(port, population, index % accounts).link.abort()
    }
  }
  report("registry_logins", Double(total) / (now() - begun), "ops/s")
}

/// Look-ups of names at random over `--links` links with `--depth` requests under way on each.
@LoopActor func lookups(_ options: Options) async throws {
  let population = try Population()
  let port = UInt16(options.count("port", or: 0))
  let accounts = options.count("accounts", or: 10_000)
  let links = options.count("links", or: 50)
  let depth = options.count("depth", or: 1)
  let total = options.count("count", or: 200_000)
  var clients: [Client] = []
  for index in 0..<links {
    clients.append(try await Client.online(port, population, index))
  }
  // Names made beforehand: making them is not what is measured.
  let names = (0..<min(accounts, 10_000)).map { population.name($0 * max(1, accounts / 10_000)) }
  let begun = now()
  var questions: [Questions] = []
  for (index, client) in clients.enumerated() {
    questions.append(Questions(client, names, seed: index, count: total / links, depth: depth))
  }
  for each in questions { try await each.done.wait() }
  report("registry_lookups", Double(total / links * links) / (now() - begun), "ops/s")
}

/// Look-ups over one link, so many under way. No task for each: what is measured is the registry.
@LoopActor private final class Questions {
  let done = OneShot<Void>()
  private let client: Client
  private let names: [UserName]
  private var state: UInt64
  private var unasked: Int
  private var waiting = 0

  init(_ client: Client, _ names: [UserName], seed: Int, count: Int, depth: Int) {
    self.client = client
    self.names = names
    state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1
    unasked = count
    for _ in 0..<depth { ask() }
    proceed()
  }

  private func ask() {
    guard unasked > 0 else { return }
    unasked -= 1
    waiting += 1
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let name = names[Int((state >> 33) % UInt64(names.count))]
    client.ask { Lookup(request: $0, name: name) }
  }

  private func proceed() {
    do throws(LinkError) {
      while waiting > 0 {
        let found = try client.link.next { (type, body) throws(WireError) in
          if case .found = try RegistryAnswer(type: type, body: body) { true } else { false }
        }
        guard let found else { return client.link.whenReady { self.proceed() } }
        guard found else { return done.fail(.closed) }
        waiting -= 1
        ask()
      }
      done.fulfil(())
    } catch { done.fail(.closed) }
  }
}

/// What the registry's process (`--process`) takes for each of `--connections` that are logged in and silent.
@LoopActor func idle(_ options: Options) async throws {
  let population = try Population()
  let port = UInt16(options.count("port", or: 0))
  let accounts = options.count("accounts", or: 10_000)
  let process = options.count("process", or: 0)
  let steps = options.text("connections", or: "5000").split(separator: ",").compactMap { Int($0) }
  var clients: [Client] = []
  // The first ones pay for what all share.
  for index in 0..<100 {
    clients.append(try await Client.online(port, population, index))
  }
  try await Loop.sleep(for: 500)
  let before = try residentBytes(process)
  for step in steps {
    let lanes = 16
    let start = clients.count
    let fresh = Box<[Client]>([])
    try await inLanes(lanes) { lane in
      for index in stride(from: start + lane, to: step, by: lanes) {
        fresh.value.append(try await Client.online(port, population, index % accounts))
      }
    }
    clients += fresh.value
    try await Loop.sleep(for: 1_000)
    let bytes = Double(try residentBytes(process) - before)
    report("registry_idle_\(step)", bytes / Double(clients.count - 100) / 1_024, "KiB")
  }
  withExtendedLifetime(clients) {}
}

private func residentBytes(_ process: Int) throws -> Int {
  let words = String(decoding: try contents(of: "/proc/\(process)/statm"), as: UTF8.self).split(
    separator: " ")
  guard words.count > 1, let pages = Int(words[1]) else { throw Trouble("no statm") }
  return pages * Int(getpagesize())
}

@LoopActor final class Box<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}

/// Runs `work` in so many tasks on the loop.
@LoopActor func inLanes(_ count: Int, _ work: @escaping @LoopActor @Sendable (Int) async throws -> Void)
  async throws
{
  try await withThrowingTaskGroup(of: Void.self) { group in
    for lane in 0..<count {
      group.addTask(executorPreference: Loop.shared) { try await work(lane) }
    }
    try await group.waitForAll()
  }
}
