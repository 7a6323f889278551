import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Somebody with a finished link who says what no honest program says: it costs him his link, and nobody else anything.
@Suite(.serialized) struct CraftedFrameTests {
  /// A link to a node without `SealedLink`: it seals any bytes.
  @LoopActor private final class Caller {
    private let stream: ByteStream
    private var transport: TransportState

    private init(_ stream: ByteStream, _ transport: consuming TransportState) {
      self.stream = stream
      self.transport = transport
    }

    static func dial(_ other: NodeAtWork, as caller: Stranger) async throws -> Caller {
      let theirs = try other.node.ownList().list
      let device = try #require(theirs.devices.first)
      let stream = try await other.stream()
      let start = try HandshakeState<SHA256>.initiator(
        pattern: .XK, prologue: Prologue.peer(theirs.account, device: device.id),
        static: caller.identity.link,
        remoteStatic: device.link)
      guard case .next(let afterFirst, let first) = start.write(payload: RawSpan()) else {
        throw LinkError.handshakeFailed
      }
      stream.say([1] + framed(first))
      let second = try await stream.message()
      let hello = caller.hello
      guard case .next(let afterSecond, _) = afterFirst.read(message: second.raw),
        case .finished(let transport, let third) = afterSecond.write(payload: hello.raw)
      else { throw LinkError.handshakeFailed }
      stream.say(framed(third))
      // READY: the node has taken the link.
      _ = try await stream.message()
      return Caller(stream, transport)
    }

    func say(_ plaintext: [UInt8]) throws {
      var buffer = plaintext + [UInt8](repeating: 0, count: aeadTagLength)
      try buffer.withMutableRaw { (span: inout MutableRawSpan) throws(NoiseError) in
        try transport.sending.seal(inPlace: &span)
      }
      stream.say(framed(buffer))
    }

    /// Whether the node lets go; what it says until then is not looked at.
    func isShownOut() async -> Bool { await stream.countToEnd() != nil }

    func hangUp() { stream.abort() }
  }

  /// Bob's node, a polite peer on a link of her own, and a crafty one who is known too.
  @LoopActor private static func meeting() async throws -> (
    LyingRegistry, NodeAtWork, Stranger, SealedLink, Stranger
  ) {
    let registry = try LyingRegistry()
    let bob = try await NodeAtWork("bob", at: registry)
    let (alice, mallory) = (try Stranger("alice", at: registry), try Stranger("mallory", at: registry))
    let polite = try await alice.dial(bob)
    try await alice.say("hello", on: polite)
    let link = try await mallory.dial(bob)
    try await mallory.say("hello", on: link)
    link.close()
    return (registry, bob, alice, polite, mallory)
  }

  /// Every type there is and is not, with nothing, little, and as much as goes into a frame.
  @Test @LoopActor func noFrameOfOneHarmsAnother() async throws {
    let (registry, bob, alice, polite, mallory) = try await Self.meeting()
    let before = bob.remains
    var said = 0
    for type: UInt8 in 0...255 {
      // Often enough that her link is not taken for dead.
      if type % 8 == 0 {
        try await alice.say("still here", on: polite)
        said += 1
      }
      let isKnown = FrameType(rawValue: type) != nil
      for count in isKnown ? [0, 1, 40, Limits.framePlaintext - 1] : [0] {
        let caller = try await Caller.dial(bob, as: mallory)
        var body = [UInt8](repeating: 0xff, count: count)
        if count == 40 { body = randomBytes(count) }
        try caller.say([type] + body)
        // What it may say, and what of it is ignored, is followed by what nobody may say.
        try caller.say([0])
        #expect(await caller.isShownOut(), "type \(type), \(count) bytes")
      }
    }
    #expect(bob.remains == Remains(events: before.events + said, contacts: before.contacts))
    #expect(bob.texts.count { $0 == "still here" } == said)
    polite.abort()
    await bob.node.close()
    registry.stop()
  }

  /// Messages that are well formed and out of place.
  @Test @LoopActor func wellFormedFramesOutOfPlace() async throws {
    let (registry, bob, alice, polite, mallory) = try await Self.meeting()
    let id: MessageID = Random.bytes()
    let before = bob.remains
    func entry(_ stream: UInt32) -> Entry {
      Entry(stream: stream, item: 0, kind: .file, executable: false, modified: 0, size: 1, path: "x")
    }
    func offer(_ stream: UInt32, _ id: MessageID) -> Offer {
      Offer(stream: stream, id: id, items: 1, entries: 1, bytes: 1, name: "x")
    }
    func chunk(_ stream: UInt8) -> [UInt8] { [FrameType.chunk.rawValue, 0, 0, 0, stream, 7] }
    // Ignored: they may be of something that is over.
    let ignored: [[UInt8]] = [
      Ack(id: id).encoded, Ack(id: id, part: .max).encoded, Refuse(id: id, reason: .busy).encoded,
      Ready(stream: 0, limit: .max).encoded, Ready(stream: 0, limit: 0).encoded,
      Ready(stream: 77, limit: .max).encoded, Accept(stream: 2).encoded, Accept(stream: 1).encoded,
      Cancel(stream: 1, reason: .stopped).encoded, Cancel(stream: 2, reason: .integrity).encoded,
      entry(1).encoded, chunk(1), End(stream: 1, size: 1, digest: nil).encoded, Ping().encoded,
      Pong().encoded,
    ]
    let caller = try await Caller.dial(bob, as: mallory)
    for _ in 0..<20 { for frame in ignored { try caller.say(frame) } }
    try caller.say([0])
    #expect(await caller.isShownOut())
    // At once the end of the link.
    let deadly: [(String, [[UInt8]])] = [
      ("a stream that is the other's to open", [offer(2, id).encoded]), ("stream 0", [offer(0, id).encoded]),
      ("an entry of the other's stream", [entry(2).encoded]), ("data of it", [chunk(2)]),
      ("its end", [End(stream: 2, size: 1, digest: nil).encoded]),
      ("a stream twice", [offer(3, Random.bytes()).encoded, offer(3, Random.bytes()).encoded]),
      ("a lower stream", [offer(3, Random.bytes()).encoded, offer(1, Random.bytes()).encoded]),
      ("a registry's answer", [Alive(request: 1, life: 1).encoded]),
      ("a registry's request", [Heartbeat(request: 1).encoded]),
      ("what may stand there, and a byte", [Ack(id: id).encoded + [0]]),
    ]
    for (what, frames) in deadly {
      let caller = try await Caller.dial(bob, as: mallory)
      for frame in frames { try caller.say(frame) }
      #expect(await caller.isShownOut(), "\(what)")
    }
    #expect(bob.node.contacts.all == before.contacts && bob.texts.count == 2)
    #expect(await eventually { bob.node.pendingOffers.isEmpty })
    try await alice.say("still here", on: polite)
    #expect(bob.texts.last == "still here")
    polite.abort()
    await bob.node.close()
    registry.stop()
  }
}
