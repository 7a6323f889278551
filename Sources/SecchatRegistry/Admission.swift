internal import SecchatNet

/// Who may connect, so that no address can shut out others nor hurt links that stand: counts by address (by /64 in
/// IPv6) of connections and of handshakes under way.
@LoopActor final class Admission {
  enum Refusal: Error {
    case tooFast, tooMany, tooManyHandshakes
  }

  private struct Count {
    var connections = 0
    var halfOpen: [UInt64: Visit] = [:]
  }

  private let configuration: RegistryConfiguration
  private var rate: RateLimiter<SocketAddress.RateKey>
  private var counts: [SocketAddress.RateKey: Count] = [:]
  private var connections = 0
  private var halfOpen = 0
  private var lastID: UInt64 = 0

  init(_ configuration: RegistryConfiguration) {
    self.configuration = configuration
    rate = RateLimiter(configuration.handshakes)
  }

  /// Counts a new connection, or says why it may not be. It may cost another address its oldest handshake.
  func admit(_ stream: ByteStream, from key: SocketAddress.RateKey) throws(Refusal) -> Visit {
    guard rate.take(key, now: Instant.now.milliseconds) == nil else { throw .tooFast }
    let own = counts[key]
    let mine = own?.connections ?? 0
    guard connections < configuration.connections, mine < configuration.connectionsPerAddress else {
      throw .tooMany
    }
    // Where it gets tight, who has an equal share gets no more.
    if connections >= configuration.connections / 4 * 3 {
      guard mine < configuration.connections / (counts.count + (own == nil ? 1 : 0)) else { throw .tooMany }
    }
    let mineHalfOpen = own?.halfOpen.count ?? 0
    guard mineHalfOpen < configuration.halfOpenPerAddress else { throw .tooManyHandshakes }
    if halfOpen >= configuration.halfOpen { try makeRoom(for: mineHalfOpen) }

    lastID += 1
    let visit = Visit(id: lastID, key: key, stream: stream)
    counts[key, default: Count()].connections += 1
    counts[key, default: Count()].halfOpen[visit.id] = visit
    connections += 1
    halfOpen += 1
    return visit
  }

  /// Ends the oldest handshake of the address that has most of them, where that is more than the newcomer has.
  private func makeRoom(for mine: Int) throws(Refusal) {
    let most = counts.max { $0.value.halfOpen.count < $1.value.halfOpen.count }
    guard let most, most.value.halfOpen.count > mine,
      let oldest = most.value.halfOpen.values.min(by: { $0.id < $1.id })
    else { throw .tooManyHandshakes }
    settle(oldest)
    oldest.stream.abort()
  }

  /// The handshake is over, one way or the other.
  func settle(_ visit: Visit) {
    guard counts[visit.key]?.halfOpen.removeValue(forKey: visit.id) != nil else { return }
    halfOpen -= 1
  }

  /// The connection is over.
  func leave(_ visit: Visit) {
    settle(visit)
    guard var count = counts[visit.key] else { return }
    connections -= 1
    count.connections -= 1
    counts[visit.key] = count.connections > 0 ? count : nil
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
