internal import SecchatNet

/// Who may connect, so that no address can shut out others nor hurt links that stand: counts by address (by /64 in
/// IPv6) of connections and of handshakes under way.
@LoopActor final class Admission {
  enum Refusal: Error {
    case tooFast, tooMany, tooManyHandshakes
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

  /// Counts a new connection, or says why it may not be. It may cost another address its oldest handshake.
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
    let mineHalfOpen = halfOpen[key]?.count ?? 0
    guard mineHalfOpen < configuration.halfOpenPerAddress else { throw .tooManyHandshakes }
    if halfOpenCount >= configuration.halfOpen { try makeRoom(for: mineHalfOpen) }

    lastID += 1
    let visit = Visit(id: lastID, key: key, stream: stream)
    counts[key, default: 0] += 1
    connections += 1
    halfOpen[key, default: [:]][visit.id] = visit
    halfOpenCount += 1
    return visit
  }

  /// Ends the oldest handshake of the address that has most of them, where that is more than the newcomer has.
  private func makeRoom(for mine: Int) throws(Refusal) {
    let most = halfOpen.values.max { $0.count < $1.count }
    guard let most, most.count > mine, let oldest = most.values.min(by: { $0.id < $1.id }) else {
      throw .tooManyHandshakes
    }
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
