import SecchatNode
import SecchatTerminal

/// What a shell knows from the events that it has seen.
final class ShellState: Sendable {
  private struct State {
    var user: String?
    var online: Event.Online?
    var offline: Event.Offline?
    var peers: Set<String> = []
    /// Who was said to be online.
    var present: Set<String> = []
  }

  /// Names remembered for completion: more than anybody reads.
  private static let maximumPeers = 5_000

  let offers = Offers()
  private let state = Locked(State())

  /// Notes what an event tells.
  ///
  /// - Returns: whether it is news to a person: a node says that it is online to whoever asked and to everybody
  ///   else, that it is offline at every try to come back, and of whoever is offline that they are.
  func note(_ event: Event) -> Bool {
    switch event {
    case .online(let online):
      return state.withLock { state in
        state.user = online.user
        state.offline = nil
        defer { state.online = online }
        return state.online != online
      }
    case .offline(let offline):
      return state.withLock { state in
        state.user = offline.user
        state.online = nil
        state.present = []
        defer { state.offline = offline }
        return state.offline != offline
      }
    case .status(let status):
      state.withLock { state in
        state.user = status.user ?? state.user
        if !status.online { state.online = nil }
      }
    case .registered(let registered): state.withLock { $0.user = registered.user }
    case .peer(let peer): know(peer.user)
    case .message(let message): know(message.from)
    case .presence(let presence):
      know(presence.user)
      return state.withLock { state in
        guard presence.online else { return state.present.remove(presence.user) != nil }
        return state.present.insert(presence.user).inserted
      }
    case .offered(let offered):
      know(offered.from)
      offers.add(offered)
    default: break
    }
    return true
  }

  private func know(_ user: String) {
    state.withLock { state in
      if state.peers.count < Self.maximumPeers { state.peers.insert(user) }
    }
  }

  var user: String? { state.withLock { $0.user } }

  var peers: [String] { state.withLock { $0.peers.sorted() } }

  /// `alice> `, or `alice (offline)> `.
  var prompt: String {
    state.withLock { state in
      let name = state.user.map { String($0.prefix { $0 != "@" }) } ?? "secchat"
      return state.online == nil ? "\(name) (offline)> " : "\(name)> "
    }
  }
}
