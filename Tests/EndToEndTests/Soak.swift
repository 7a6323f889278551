import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Many daemons at one registry that talk and send at random, and what came of it.
final class Soak: Sendable {
  /// What has been confirmed, and how often something was not.
  struct Tally {
    var messages: [(id: String, to: Int)] = []
    var files = 0
    /// Commands that failed while a daemon or the registry was away, by exit status.
    var excused: [Int32: Int] = [:]
    var unexcused: [String] = []
  }

  let world: World
  let users: [SoakUser]
  let tally = Lock(Tally())
  private let registries: Lock<[Registry]>
  /// What is sent: from nothing to some megabytes, and a folder.
  private let sources: [String]
  /// When the registry was last away, or some daemon had not come back to it, or nothing ran at all.
  private let registryAway = Lock<(isAway: Bool, last: ContinuousClock.Instant)>((false, .now))

  /// Those whose daemons stay: the first half.
  var steady: ArraySlice<SoakUser> { users[..<(users.count / 2)] }
  var registry: Registry { get throws { try #require(registries.withLock { $0.last }) } }

  init(count: Int) async throws {
    let world = try World()
    let registry = try await world.registry()
    self.world = world
    registries = Lock([registry])
    sources = try Self.sources(in: world.folder)
    users = try await withThrowingTaskGroup(of: (Int, SoakUser).self) { group in
      var made: [Int: SoakUser] = [:]
      for number in 0..<count {
        // Opening a key file takes 64 MiB: a few at a time.
        if number >= 4, let (done, user) = try await group.next() { made[done] = user }
        group.addTask {
          let user = SoakUser(try await world.user("user-\(number)", at: registry))
          try await user.start()
          return (number, user)
        }
      }
      for try await (done, user) in group { made[done] = user }
      return made.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  private static func sources(in folder: TemporaryFolder) throws -> [String] {
    var paths: [String] = []
    for (number, size) in [0, 1, 5_000, 65_025, 400_000, 3_000_000].enumerated() {
      paths.append(
        try folder.write("file-\(number)", Data((0..<size).map { UInt8(truncatingIfNeeded: $0 * 31 >> 4) })))
    }
    for number in 0..<20 {
      try folder.write(
        "folder/\(number % 3)/leaf-\(number)", Data(repeating: UInt8(number), count: number * 900))
    }
    return paths + [folder.file("folder")]
  }

  // MARK: Talking

  /// Whom a user talks to: four others, and the four who talk to it.
  static let partners = 1...4

  /// A word of every user to all it ever talks to, so that later only what is new adds to the figures.
  func introduce() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in users.indices {
        if number >= 4 { try await group.next() }
        group.addTask {
          for step in Self.partners { try await self.chat(number, (number + step) % self.users.count) }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Does one thing after another until `end`.
  func work(until end: ContinuousClock.Instant) async throws {
    while ContinuousClock.now < end {
      let sender = Int.random(in: users.indices)
      let step = Int.random(in: Self.partners) * (Bool.random() ? 1 : -1)
      let receiver = (sender + step + users.count) % users.count
      if Int.random(in: 0..<6) == 0 {
        try await send(sender, receiver)
      } else {
        try await chat(sender, receiver)
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...600)))
    }
  }

  private func chat(_ sender: Int, _ receiver: Int) async throws {
    let text = String(repeating: "soak ", count: Int.random(in: 1...200))
    let words = ["chat", users[receiver].name, text, "--timeout", "60"]
    guard let (id, _) = try await command(sender, receiver, words, says: "sent", shows: "message") else {
      return
    }
    tally.withLock { $0.messages.append((id, receiver)) }
  }

  private func send(_ sender: Int, _ receiver: Int) async throws {
    let source = try #require(sources.randomElement())
    let words = ["send", users[receiver].name, source]
    guard let (_, file) = try await command(sender, receiver, words, says: "done", shows: "file") else {
      return
    }
    let path = try #require(file["path"])
    #expect(
      FileManager.default.contentsEqual(atPath: source, andPath: path), "\(source) is another in \(path)")
    try FileManager.default.removeItem(atPath: path)
    tally.withLock { $0.files += 1 }
  }

  /// Runs a command of one user's daemon towards another, and waits until that one's has shown what came of it: one that
  /// is killed between its ACK and its line has it in the history alone.
  ///
  /// - Returns: the id and what was shown; nil where the command failed, for which there must be a reason.
  private func command(
    _ sender: Int, _ receiver: Int, _ words: [String], says answer: String, shows event: String
  ) async throws -> (id: String, shown: Record)? {
    guard users[sender].enter() else { return nil }
    defer { users[sender].leave() }
    guard users[receiver].enter() else { return nil }
    defer { users[receiver].leave() }
    let begun = ContinuousClock.now
    let offline = [sender, receiver].map { users[$0].timesOffline }
    // Without a passphrase: only the daemon can do it.
    let program = try Program("secchat", ["--home", users[sender].profile.home, "--json"] + words)
    let status = try await program.finish(within: .seconds(180))
    let outcome = Outcome(
      command: "\(users[sender].name): \(words.prefix(2).joined(separator: " "))", status: status,
      lines: program.lines, errors: program.errors)
    guard status != 0 else {
      let id = try #require(try outcome.record(answer)["id"])
      let shown = try await eventually("the \(event) \(id) is shown") {
        users[receiver].record(event, id: id)
      }
      return (id, shown)
    }
    let wasAway = registryAway.withLock { $0.isAway || $0.last >= begun }
    let isExcused =
      wasAway || users[sender].wasAway(since: begun) || users[receiver].wasAway(since: begun)
      || offline.contains(nil) || offline != [sender, receiver].map { users[$0].timesOffline }
    tally.withLock {
      if isExcused { $0.excused[status, default: 0] += 1 } else { $0.unexcused.append("\(outcome)") }
    }
    return nil
  }

  // MARK: Disturbing

  /// Notes when the machine itself stood still, as one does that is measured or put to sleep: deadlines pass meanwhile.
  func watch(until end: ContinuousClock.Instant) async throws {
    while ContinuousClock.now < end {
      let before = ContinuousClock.now
      try await Task.sleep(for: .milliseconds(250))
      if ContinuousClock.now - before > .seconds(2) { registryAway.withLock { $0.last = .now } }
    }
  }

  /// Ends daemons of the second half and starts them again, one after the other, until `end`.
  func disturb(until end: ContinuousClock.Instant) async throws {
    while ContinuousClock.now < end {
      let user = try #require(users[steady.endIndex...].randomElement())
      if Int.random(in: 0..<4) == 0 { try await user.crash() } else { try await user.restart() }
      try await Task.sleep(for: .milliseconds(Int.random(in: 500...4_000)))
    }
  }

  /// Ends the registry, starts it again on its port, and waits until everybody is back.
  func restartRegistry(killing: Bool) async throws {
    let old = try registry
    registryAway.withLock { $0.isAway = true }
    func timesOnline() -> [Int] { users.map { $0.lines.count { $0.contains(#""type":"online""#) } } }
    let before = timesOnline()
    if killing { try await old.program.destroy() } else { try await old.program.stop() }
    let new = try await world.registry(port: old.port)
    registries.withLock { $0.append(new) }
    try await eventually("everybody is back at the registry", within: .seconds(180)) {
      zip(before, timesOnline()).allSatisfy { $0 < $1 }
    }
    registryAway.withLock { $0 = (false, .now) }
  }

  // MARK: Looking

  /// What all processes take once nothing is under way.
  func figures() async throws -> (daemons: [ProcessFigures], registry: ProcessFigures) {
    for user in users { try await user.close() }
    defer { for user in users { user.open() } }
    func take() throws -> [ProcessFigures] {
      try steady.map { try ProcessFigures(of: try #require($0.process), name: $0.name) }
    }
    var last = try take()
    // Links that were replaced end within half a minute; then the number of descriptors stands.
    for _ in 0..<20 {
      try await Task.sleep(for: .seconds(2))
      let now = try take()
      let stands = now.map(\.descriptors) == last.map(\.descriptors)
      last = now
      if stands { break }
    }
    return (last, try ProcessFigures(of: registry.program.id, name: "registry"))
  }

  /// How often each message was printed, by receiver.
  func seen() -> [[String: Int]] {
    users.map { user in
      var counts: [String: Int] = [:]
      for line in user.lines where line.contains(#""type":"message""#) {
        if let id = Record(line)?["id"] { counts[id, default: 0] += 1 }
      }
      return counts
    }
  }

  /// Parts of files that were left behind.
  var remains: [String] {
    users.flatMap { user in
      (FileManager.default.enumerator(atPath: user.profile.home + "/downloads")?.compactMap { $0 as? String }
        ?? [])
        .filter { $0.hasSuffix(".part") }
    }
  }
}
