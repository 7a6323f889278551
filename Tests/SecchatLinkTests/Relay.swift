import SecchatCore
import SecchatCrypto
import SecchatNet
import Testing

/// Somebody in the middle, who sees every message and forwards what a test wants.
@LoopActor final class Relay {
  enum Side: Sendable {
    case initiator, responder
  }

  /// What goes on in place of a message.
  enum Piece {
    case bytes([UInt8])
    /// Milliseconds in which nothing does.
    case pause(Int)
    /// The connection ends here, in order.
    case end
  }

  /// From whom, the how-manieth of theirs, and the message with its length. The initiator's message 0 is the opening
  /// byte.
  typealias Tamper = @LoopActor (Side, Int, [UInt8]) -> [Piece]

  /// For the one side.
  let initiator: ByteStream
  /// For the other.
  let responder: ByteStream
  private let near: ByteStream
  private let far: ByteStream
  private let tamper: Tamper

  /// Bytes that each side sent.
  private(set) var sent: [Side: Int] = [:]

  static func make(_ tamper: @escaping Tamper) async throws -> Relay {
    let (left, right) = (try await Pair.make(), try await Pair.make())
    let relay = Relay(left, right, tamper)
    Loop.spawn { await relay.pump(.initiator, from: relay.near, to: relay.far) }
    Loop.spawn { await relay.pump(.responder, from: relay.far, to: relay.near) }
    return relay
  }

  private init(_ left: Pair, _ right: Pair, _ tamper: @escaping Tamper) {
    (initiator, near) = (left.near, left.far)
    (far, responder) = (right.near, right.far)
    self.tamper = tamper
  }

  private func pump(_ side: Side, from source: ByteStream, to target: ByteStream) async {
    var index = 0
    do throws(NetError) {
      while true {
        let message =
          side == .initiator && index == 0 ? try await source.read(1) : try await source.readMessage()
        sent[side, default: 0] += message.count
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

  /// Forwards everything as it came.
  static let nothing: Tamper = { _, _, message in [.bytes(message)] }

  /// Changes one byte of one message.
  static func flipping(_ side: Side, _ index: Int, byte: Int, mask: UInt8) -> Tamper {
    { from, number, message in
      guard from == side, number == index else { return [.bytes(message)] }
      var changed = message
      changed[byte] ^= mask
      return [.bytes(changed)]
    }
  }
}
