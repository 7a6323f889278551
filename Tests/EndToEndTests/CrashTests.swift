import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Two write to each other while their daemons, their commands and the registry are killed at random moments. What was
/// accepted arrives: once, in order. `SECCHAT_CRASHES` says how many are killed.
@Suite(.serialized) struct CrashTests {
  private static let asked = Int(ProcessInfo.processInfo.environment["SECCHAT_CRASHES"] ?? "") ?? 1_000

  @Test func `a dozen kills, and nothing is lost`() async throws {
    var figures = CrashFigures()
    try await crash(12, every: 600, &figures)
    report(figures)
  }

  /// Of pairs that meet for the first time, so that what they begin with is cut short too.
  @Test(.long) func `a thousand kills, and nothing is lost`() async throws {
    var figures = CrashFigures()
    while figures.kills < Self.asked {
      let kills = min(Self.asked - figures.kills, [5, 25, 60].randomElement() ?? 25)
      try await crash(kills, every: [60, 300, 900].randomElement() ?? 300, &figures)
    }
    report(figures)
  }

  private func report(_ figures: CrashFigures) {
    print(figures)
    #expect(figures.lost == 0 && figures.twice == 0 && figures.disordered == 0 && figures.resets == 0)
    // How much is a matter of the machine's other work.
    #expect(figures.accepted > 0 && figures.kept > 0, "nothing was written")
  }

  /// - Parameter longest: milliseconds from one kill to the next, at most.
  private func crash(_ kills: Int, every longest: Int, _ figures: inout CrashFigures) async throws {
    let world = try World()
    let registry = Lock(try await world.registry())
    let port = registry.withLock { $0.port }
    let users = try await [
      CrashUser(world.user("alice", at: registry.withLock { $0 })),
      CrashUser(world.user("bob", at: registry.withLock { $0 })),
    ]
    for user in users { try user.start() }
    let begun = ContinuousClock.now
    let isOver = Lock(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (user, other) in [(users[0], "bob"), (users[1], "alice")] {
        group.addTask {
          while !isOver.withLock({ $0 }) {
            let wait = ["delivered", "delivered", "sent", "queued"].randomElement() ?? "delivered"
            try await user.write(to: other, Int.random(in: 1...6), waitingFor: wait)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...100)))
          }
        }
      }
      defer { isOver.withLock { $0 = true } }
      for _ in 0..<kills {
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...longest)))
        switch Int.random(in: 0..<8) {
        case 0:
          try await registry.withLock { $0 }.program.destroy()
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...longest / 2)))
          let next = try await world.registry(port: port)
          registry.withLock { $0 = next }
        case 1: users.randomElement()?.killCommand()
        default:
          let user = users[Int.random(in: 0...1)]
          try await user.killDaemon()
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...longest / 2)))
          try user.start()
        }
      }
    }
    figures.kills += kills
    figures.killed += ContinuousClock.now - begun
    let over = ContinuousClock.now
    for user in users { try await user.settle() }
    // What the last of them waits for, it waits for no longer than a pause lasts.
    for user in users { try await user.drain(within: .seconds(120)) }
    figures.settled += ContinuousClock.now - over
    for user in users { try await user.stop() }
    try figures.count(users)
  }
}
