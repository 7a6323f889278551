import SecchatNode
import SecchatTerminal

/// Tells the node which messages a person has seen: those that were shown on a terminal.
final class ReadMarks: Sendable {
  private let connection = Locked<NodeConnection?>(nil)

  /// From now on somebody looks on.
  func begin(_ connection: NodeConnection) { self.connection.withLock { $0 = connection } }

  func end() { connection.withLock { $0 = nil } }

  /// An event was shown.
  func shown(_ event: Event) {
    guard case .message(let message) = event, message.state == nil, let node = connection.withLock({ $0 })
    else {
      return
    }
    Task.detached { _ = await node.perform(.seen(user: message.from, ids: [message.id])) { _ in } }
  }
}
