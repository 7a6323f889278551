internal import SecchatNet

/// Takes peers' connections, and bounds how many may be shaking hands: in all, and from one address.
@LoopActor final class PeerListener {
  private let listener: Listener
  /// Streams whose handshake is under way, by address, oldest first.
  private var halfOpen: [SocketAddress.RateKey: [ByteStream]] = [:]
  private var total = 0

  private static let perAddress = 64
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
      guard let key = stream.remoteAddress?.rateKey else {
        stream.abort()
        continue
      }
      makeRoom(for: key)
      total += 1
      halfOpen[key, default: []].append(stream)
      Loop.spawn {
        await shake(stream) { self.forget(stream, key) }
        self.forget(stream, key)
      }
    }
  }

  /// The newcomer's own address loses its oldest handshake where it has its share, else the one with the most where there
  /// are too many in all: silent connections keep nobody out, neither elsewhere nor at their own address.
  private func makeRoom(for key: SocketAddress.RateKey) {
    var crowded: SocketAddress.RateKey?
    if halfOpen[key, default: []].count >= Self.perAddress {
      crowded = key
    } else if total >= Self.inAll {
      crowded = halfOpen.max { $0.value.count < $1.value.count }?.key
    }
    guard let crowded, let oldest = halfOpen[crowded]?.first else { return }
    oldest.abort()
    forget(oldest, crowded)
  }

  private func forget(_ stream: ByteStream, _ key: SocketAddress.RateKey) {
    guard let index = halfOpen[key]?.firstIndex(where: { $0 === stream }) else { return }
    halfOpen[key]?.remove(at: index)
    if halfOpen[key]?.isEmpty ?? false { halfOpen[key] = nil }
    total -= 1
  }

  func close() { listener.close() }
}
