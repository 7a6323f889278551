internal import SecchatNet

/// Who may connect, so that no address can shut out others nor hurt links that stand: counts by address (by /64 in
/// IPv6) of connections and of handshakes under way.
@LoopActor final class Admission {
  enum Refusal: Error {
    case tooFast, tooMany
  }

  private let configuration: RegistryConfiguration
  private var rate: RateLimiter<SocketAddress.RateKey>
  private var counts: [SocketAddress.RateKey: Int] = [:]
  private var connections = 0
  /// The handshakes under way of the addresses that have any: few, next to those that are connected.
  private(set) var halfOpen: [SocketAddress.RateKey: [UInt64: Visit]] = [:]
  private var halfOpenCount = 0
  private var lastID: UInt64 = 0

  init(_ configuration: RegistryConfiguration) {
    self.configuration = configuration
    rate = RateLimiter(configuration.handshakes)
  }

  /// Counts a new connection, or says why it may not be. It may cost an address its oldest handshake.
  func admit(_ stream: ByteStream, from key: SocketAddress.RateKey) throws(Refusal) -> Visit {
    guard rate.take(key, now: Instant.now.milliseconds) == nil else { throw .tooFast }
    let mine = counts[key, default: 0]
    guard connections < configuration.connections, mine < configuration.connectionsPerAddress else {
      throw .tooMany
    }
    // Where it gets tight, who has an equal share gets no more.
    if connections >= configuration.connections / 4 * 3 {
      guard mine < configuration.connections / (counts.count + (mine == 0 ? 1 : 0)) else { throw .tooMany }
    }
    makeRoom(for: key)

    lastID += 1
    let visit = Visit(id: lastID, key: key, stream: stream)
    counts[key, default: 0] += 1
    connections += 1
    halfOpen[key, default: [:]][visit.id] = visit
    halfOpenCount += 1
    return visit
  }

  /// Where too many handshakes are under way the oldest of an address gives way: of the newcomer's own, where that has its
  /// share or as many as any, else of the one that has most. Were the newcomer turned away instead, silent connections
  /// would keep out everybody else at their address.
  private func makeRoom(for key: SocketAddress.RateKey) {
    let mine = halfOpen[key] ?? [:]
    var busiest = mine
    if mine.count < configuration.halfOpenPerAddress {
      guard halfOpenCount >= configuration.halfOpen else { return }
      for visits in halfOpen.values where visits.count > busiest.count { busiest = visits }
    }
    guard let oldest = busiest.values.min(by: { $0.id < $1.id }) else { return }
    settle(oldest)
    oldest.stream.abort()
  }

  /// The handshake is over, one way or the other.
  func settle(_ visit: Visit) {
    guard halfOpen[visit.key]?.removeValue(forKey: visit.id) != nil else { return }
    if halfOpen[visit.key]?.isEmpty == true { halfOpen[visit.key] = nil }
    halfOpenCount -= 1
  }

  /// The connection is over.
  func leave(_ visit: Visit) {
    settle(visit)
    guard let count = counts[visit.key] else { return }
    connections -= 1
    counts[visit.key] = count > 1 ? count - 1 : nil
  }
}

/// One connection as `Admission` counts it.
@LoopActor final class Visit {
  let id: UInt64
  let key: SocketAddress.RateKey
  let stream: ByteStream

  init(id: UInt64, key: SocketAddress.RateKey, stream: ByteStream) {
    self.id = id
    self.key = key
    self.stream = stream
  }
}
