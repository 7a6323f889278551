import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Two write to each other while their daemons, their commands and the registry are killed at random moments. What was
/// accepted arrives: once, in order. `SECCHAT_CRASHES` says how many are killed.
@Suite(.serialized) struct CrashTests {
  private static let asked = Int(ProcessInfo.processInfo.environment["SECCHAT_CRASHES"] ?? "")

  @Test func `a dozen kills, and nothing is lost`() async throws { try await crash(12) }

  @Test(.long) func `a thousand kills, and nothing is lost`() async throws {
    try await crash(Self.asked ?? 1_000)
  }

  private func crash(_ kills: Int) async throws {
    let world = try World()
    let registry = Lock(try await world.registry())
    let port = registry.withLock { $0.port }
    let users = try await [
      CrashUser(world.user("alice", at: registry.withLock { $0 })),
      CrashUser(world.user("bob", at: registry.withLock { $0 })),
    ]
    for user in users {
      try user.start()
      try await user.settle()
    }
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
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...600)))
        switch Int.random(in: 0..<8) {
        case 0:
          try await registry.withLock { $0 }.program.destroy()
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
          let next = try await world.registry(port: port)
          registry.withLock { $0 = next }
        case 1: users.randomElement()?.killCommand()
        default:
          let user = users[Int.random(in: 0...1)]
          try await user.killDaemon()
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
          try user.start()
        }
      }
    }
    let killed = ContinuousClock.now - begun
    for user in users { try await user.settle() }
    // What the last of them waits for, it waits for no longer than a pause lasts.
    for user in users { try await user.drain(within: .seconds(120)) }
    let settled = ContinuousClock.now - begun - killed
    for user in users { try await user.stop() }
    try await check(users, kills, killed, settled)
  }

  private func check(_ users: [CrashUser], _ kills: Int, _ killed: Duration, _ settled: Duration) async throws
  {
    let rows = try users.map { try MessageRows(of: $0.profile) }
    var figures = (
      accepted: 0, unanswered: 0, kept: 0, lost: 0, twice: 0, disordered: 0, hidden: 0, resets: 0
    )
    for (sender, receiver) in [(0, 1), (1, 0)] {
      let (sent, received) = (rows[sender].own, rows[receiver].received)
      let shown = users[receiver].records.filter { $0.type == "message" }
      let ids = shown.compactMap { $0["id"] }
      let numbers = shown.compactMap { $0["text"].flatMap { Int($0.prefix { $0 != " " }) } }
      let accepted = users[sender].accepted
      let places = Dictionary(received.enumerated().map { ($1, $0) }) { first, _ in first }

      figures.accepted += accepted.count
      figures.unanswered += users[sender].unanswered
      figures.kept += received.count
      figures.lost += accepted.count { places[$0] == nil }
      figures.twice += ids.count - Set(ids).count
      figures.hidden += received.count - Set(ids).count
      figures.disordered += zip(numbers, numbers.dropFirst()).count { $0 >= $1 }
      let order = accepted.compactMap { places[$0] }
      figures.disordered += zip(order, order.dropFirst()).count { $0 >= $1 }
      // Both databases tell one story: what the one has sent the other has, in the same order.
      #expect(sent.map(\.id) == received)
      #expect(sent.allSatisfy { $0.state == MessageRows.delivered }, "\(sent.map(\.state))")
      #expect(Set(ids).isSubset(of: received))
      #expect(numbers.count == shown.count)
    }
    let said = users.flatMap { $0.records + $0.outcomes.flatMap(\.records) }
    figures.resets = said.count { $0.type == "session-reset" }
    print(
      "crash: \(kills) kills in \(killed), settled in \(settled): \(figures.accepted) messages accepted,",
      "\(figures.unanswered) without an answer, \(figures.kept) kept, \(figures.lost) lost,",
      "\(figures.twice) shown twice, \(figures.disordered) out of order, \(figures.hidden) kept and not shown,",
      "\(figures.resets) session resets; commands by status",
      users.map(\.statuses).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }.sorted { $0.key < $1.key }
    )
    #expect(figures.lost == 0 && figures.twice == 0 && figures.disordered == 0)
    #expect(figures.resets == 0, "\(said.filter { $0.type == "session-reset" })")
    #expect(figures.accepted > kills, "hardly anything was written")
    // Nothing was found damaged, and nothing went wrong inside.
    let failures = said.filter { $0.type == "error" && [2, 8].contains($0.number("code")) }
    #expect(failures.allSatisfy { $0["message"]?.contains("node ended") ?? false }, "\(failures.prefix(5))")
  }
}
