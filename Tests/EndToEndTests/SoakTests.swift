import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Fifty daemons for a while. `SECCHAT_SOAK_SECONDS` says how long, 120 by default; half an hour shows what grows slowly.
@Suite(.serialized) struct SoakTests {
  private static let seconds =
    Double(ProcessInfo.processInfo.environment["SECCHAT_SOAK_SECONDS"] ?? "") ?? 120

  @Test(.long) func `fifty daemons talk for long: all arrives once, and nothing grows`() async throws {
    // A sanitizer makes many times of the memory that each takes.
    let soak = try await Soak(count: isSanitized ? 12 : 50)
    try await soak.introduce()
    // The registry's figures are those of one life: its restarts come first.
    try await run(soak, for: Self.seconds * 0.4) {
      for killing in [true, false] { try await soak.restartRegistry(killing: killing) }
    }
    let before = try await soak.figures()
    try await run(soak, for: Self.seconds * 0.6) {}
    let after = try await soak.figures()

    let tally = soak.tally.withLock { $0 }
    let daemons = Growth(from: before.daemons, to: after.daemons)
    let registry = Growth(from: [before.registry], to: [after.registry])
    print(daemons.line("daemons"))
    print(registry.line("registry"))
    print(
      "soak: \(tally.messages.count) messages and \(tally.files) files confirmed,",
      "\(tally.excused.values.reduce(0, +)) failed beside a restart \(tally.excused)")

    #expect(tally.unexcused.isEmpty, "\(tally.unexcused.prefix(5))")
    let seen = soak.seen()
    for (id, receiver) in tally.messages {
      #expect(seen[receiver][id] == 1, "\(id) to user-\(receiver)")
    }
    // Nor did any that was not confirmed come twice.
    #expect(seen.allSatisfy { $0.values.allSatisfy { $0 == 1 } })
    #expect(soak.remains.isEmpty, "\(soak.remains)")
    #expect(tally.files > 0 && tally.messages.count > soak.users.count * Soak.partners.count)

    #expect(daemons.descriptors.median <= 2 && daemons.descriptors.worst <= 10)
    #expect(registry.descriptors.worst <= 10)
    // A sanitizer keeps what was freed for a while.
    guard !isSanitized else { return }
    #expect(daemons.memory.median <= 2_048 && daemons.memory.worst <= 8_192)
    #expect(registry.memory.worst <= 8_192)
  }

  /// Users at work, and daemons that are restarted, beside what `body` does.
  private func run(_ soak: Soak, for seconds: Double, beside body: () async throws -> Void) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 { group.addTask { try await soak.work(until: end) } }
      group.addTask { try await soak.disturb(until: end) }
      group.addTask { try await soak.watch(until: end) }
      try await body()
      try await group.waitForAll()
    }
  }
}
