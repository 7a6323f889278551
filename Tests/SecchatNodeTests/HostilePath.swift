import SecchatCore
import SecchatCrypto
import SecchatNet
import Testing

/// Somebody between two nodes, who sees every message and forwards what a test wants. The registry says that the one is
/// reached here.
@LoopActor final class HostilePath {
  enum Side: Sendable {
    case dialler, dialled
  }

  /// What goes on in place of a message.
  enum Piece {
    case bytes([UInt8])
    /// Milliseconds in which nothing does.
    case pause(Int)
    /// The connection ends here, in order.
    case end
  }

  /// From whom, the how-manieth of theirs on this connection, and the message with its length. The dialler's message 0 is
  /// the opening byte, 1 and 2 are of the handshake; of the dialled one's only 0 is.
  typealias Tamper = @LoopActor (Side, Int, [UInt8]) -> [Piece]

  /// One connection, as it was sent.
  @LoopActor final class Recording {
    var bytes: [Side: [UInt8]] = [.dialler: [], .dialled: []]
    /// How many bytes the first message of the dialled one has.
    var answer = 0
  }

  private let listener: Listener
  private let target: SocketAddress
  private var streams: [ByteStream] = []
  private(set) var recordings: [Recording] = []
  var tamper: Tamper = HostilePath.honest

  static let honest: Tamper = { _, _, message in [.bytes(message)] }

  init(to target: SocketAddress) throws {
    self.target = target
    listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
    let listener = listener
    Loop.spawn { [weak self] in
      while let near = try? await listener.accept() {
        guard let self else { return }
        guard let far = try? await ByteStream.connect(to: self.target, timeout: 60_000) else {
          near.abort()
          continue
        }
        self.join(near, far)
      }
    }
  }

  var address: NetworkAddress? { listener.address.flatMap { NetworkAddress(bytes: $0.bytes, port: $0.port) } }

  /// Whether somebody listening here could have read this.
  func hasSeen(_ text: String) -> Bool {
    let needle = Array(text.utf8)
    return recordings.contains { recording in
      recording.bytes.values.contains { $0.firstRange(of: needle) != nil }
    }
  }

  /// Ends all connections without a word.
  func hangUp() {
    for stream in streams { stream.abort() }
    streams = []
  }

  func close() {
    listener.close()
    hangUp()
  }

  private func join(_ near: ByteStream, _ far: ByteStream) {
    let recording = Recording()
    recordings.append(recording)
    streams += [near, far]
    let tamper = tamper
    Loop.spawn { await Self.pump(.dialler, from: near, to: far, tamper, recording) }
    Loop.spawn { await Self.pump(.dialled, from: far, to: near, tamper, recording) }
  }

  private static func pump(
    _ side: Side, from source: ByteStream, to target: ByteStream, _ tamper: Tamper, _ recording: Recording
  ) async {
    var index = 0
    do throws(NetError) {
      while true {
        let message: [UInt8]
        if side == .dialler, index == 0 {
          message = try await source.take(1)
        } else {
          try await source.fill(atLeast: 2)
          message = framed(try await source.message())
        }
        recording.bytes[side, default: []] += message
        if side == .dialled, index == 0 { recording.answer = message.count }
        for piece in tamper(side, index, message) {
          switch piece {
          case .bytes(let bytes):
            target.write(bytes.raw)
            try await target.drain(below: 0)
          case .pause(let time): try? await Loop.sleep(for: time)
          case .end:
            target.close()
            source.close()
            return
          }
        }
        index += 1
      }
    } catch {
      // What was on its way arrives before the end does.
      if error == .closed { target.close() } else { target.abort() }
    }
  }
}

extension HostilePath {
  /// What somebody on the path may do to a message.
  enum Harm: Equatable, Sendable {
    /// Changes a bit of the byte at this place, counted from the end where negative.
    case flip(Int)
    case drop
    /// Sends it twice.
    case replay
    /// Sends it after the one that follows.
    case swap
    /// Ends the connection after so many of its bytes.
    case cut(Int)
  }

  /// Does this to every connection's message of that number from that side.
  static func harming(_ side: Side, _ number: Int, _ harm: Harm) -> Tamper {
    var held: [UInt8] = []
    return { from, index, message in
      guard from == side else { return [.bytes(message)] }
      if harm == .swap, index == number + 1 { return [.bytes(message), .bytes(held)] }
      guard index == number else { return [.bytes(message)] }
      switch harm {
      case .flip(let place):
        var changed = message
        changed[place < 0 ? message.count + place : place] ^= 0x10
        return [.bytes(changed)]
      case .drop: return []
      case .replay: return [.bytes(message), .bytes(message)]
      case .swap:
        held = message
        return []
      case .cut(let count): return [.bytes(Array(message.prefix(count))), .end]
      }
    }
  }
}
