internal import SecchatNet

/// Takes peers' connections, and bounds how many may be shaking hands: in all, and from one address.
@LoopActor final class PeerListener {
  private let listener: Listener
  /// Streams whose handshake is under way, by address, oldest first.
  private var halfOpen: [SocketAddress.RateKey: [ByteStream]] = [:]
  private var total = 0

  private static let perAddress = 16
  private static let inAll = 256

  init(_ address: SocketAddress) throws(NodeError) {
    do throws(NetError) { listener = try Listener(address: address) } catch {
      throw NodeError(
        .usage, "cannot listen on \(address): \(error)", hint: "choose another address with --listen")
    }
  }

  var address: SocketAddress? { listener.address }

  /// Hands each connection to `shake`, which calls `done` when its handshake has ended, well or badly.
  func run(
    _ shake: @escaping @LoopActor (ByteStream, _ done: @escaping @LoopActor () -> Void) async -> Void
  ) async {
    while true {
      let stream: ByteStream
      do throws(NetError) { stream = try await listener.accept() } catch { return }
      guard let key = stream.remoteAddress?.rateKey, halfOpen[key, default: []].count < Self.perAddress
      else {
        stream.abort()
        continue
      }
      if total >= Self.inAll { makeRoom() }
      total += 1
      halfOpen[key, default: []].append(stream)
      Loop.spawn {
        await shake(stream) { self.forget(stream, key) }
        self.forget(stream, key)
      }
    }
  }

  /// The address with the most handshakes under way loses its oldest, so that many silent connections from a few
  /// addresses keep nobody else out.
  private func makeRoom() {
    guard let busiest = halfOpen.max(by: { $0.value.count < $1.value.count }),
      let oldest = busiest.value.first
    else { return }
    oldest.abort()
    forget(oldest, busiest.key)
  }

  private func forget(_ stream: ByteStream, _ key: SocketAddress.RateKey) {
    guard let index = halfOpen[key]?.firstIndex(where: { $0 === stream }) else { return }
    halfOpen[key]?.remove(at: index)
    if halfOpen[key]?.isEmpty ?? false { halfOpen[key] = nil }
    total -= 1
  }

  func close() { listener.close() }
}
