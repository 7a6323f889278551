import SecchatArguments
import SecchatNode
import SecchatTerminal

extension Command {
  static let list = Command(
    CommandSpec(
      "list",
      summary: "Show who is online",
      discussion: "Those who are online, oneself included. ✓ marks whom you have verified.",
      examples: [ExampleSpec("secchat list", "Names, addresses and fingerprints.")],
      exitStatuses: [ExitStatusSpec(3, "the registry cannot be reached")])
  ) { session, _ async throws(NodeError) in
    let output = session.output
    guard !output.json else { return try await session.perform(.list) }
    let peers = Locked<[Event.Peer]>([])
    let status = try await session.perform(.list) { event in
      if case .peer(let peer) = event { peers.withLock { $0.append(peer) } } else { output.show(event) }
    }
    let found = peers.withLock { $0 }.sorted { $0.user < $1.user }
    if !found.isEmpty {
      let columns = output.terminal.outputIsTerminal ? output.terminal.columns : Int.max
      output.say(PeerTable.text(found, columns: columns))
    } else if status == .done {
      output.say("nobody is online")
    }
    return status
  }
}
