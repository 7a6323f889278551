import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Two who dial each other at the same moment: one of the two links gives way, and nobody notices.
@Suite(.serialized) struct GlareTests {
  @Test @LoopActor func filesBothWaysAtOnce() async throws {
    let registry = try LyingRegistry()
    let (alice, bob) = (
      try await NodeAtWork("alice", at: registry), try await NodeAtWork("bob", at: registry)
    )
    for side in [alice, bob] { try await side.node.save { $0.files = .always } }
    let folder = try TemporaryFolder(inMemory: true)
    let path = try folder.write("note", "text")
    #expect(await alice.chat("bob").status == .done)
    for round in 0..<12 {
      for side in [alice, bob] { try await side.hangUp() }
      let ended = Box<[(status: SecchatNode.ExitStatus, events: [Event])]>([])
      for (side, user) in [(alice, "bob"), (bob, "alice")] {
        Loop.spawn {
          let outcome = await side.ask(.send(user: user, paths: [path], limitRate: nil, checksum: false))
          ended.value.append(outcome)
        }
      }
      #expect(await eventually { ended.value.count == 2 })
      for outcome in ended.value { #expect(outcome.status == .done, "round \(round): \(outcome.events)") }
    }
    for side in [alice, bob] { await side.node.close() }
    registry.stop()
  }
}
