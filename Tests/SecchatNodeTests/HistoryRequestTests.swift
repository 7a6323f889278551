import SecchatCore
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What programs ask for over the control socket may be out of all bounds.
@Suite struct HistoryRequestTests {
  @Test @LoopActor func timesAndLimitsOutOfBounds() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    _ = try Stranger("bob", at: registry)
    #expect(await alice.ask(.expire(user: "bob", seconds: .max)).status == .done)
    for since in [1e300, -1e300, Double.greatestFiniteMagnitude, -0.0] {
      for limit in [nil, -1, 0, Int.max] {
        let (status, events) = await alice.ask(.history(user: "bob", search: "", since: since, limit: limit))
        #expect(status == .done && events.isEmpty)
      }
    }
    await alice.node.close()
    registry.stop()
  }
}
