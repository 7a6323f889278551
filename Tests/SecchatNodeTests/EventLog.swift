import Foundation
import SecchatCrypto
import SecchatNode

/// The events of a node, as they come.
final class EventLog: Sendable {
  private let log = Lock<[Event]>([])

  func append(_ event: Event) { log.withLock { $0.append(event) } }

  var events: [Event] { log.withLock { $0 } }
  var count: Int { events.count }

  struct Missing: Error {
    let seen: [Event]
  }

  /// Waits until an event of the kind has come; fails after ten seconds.
  func wait(_ isWanted: @Sendable (Event) -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !events.contains(where: isWanted) {
      guard ContinuousClock.now < end else { throw Missing(seen: events) }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
