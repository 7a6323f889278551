import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  /// What a path does to whole messages: those of other sessions, and none; and that splits and delays lose nothing. What
  /// changes or cuts one is in HandshakeTests and FrameTests.
  @Suite struct PathTests {
    /// The messages of a handshake by who sends them and which of theirs they are, as the relay counts.
    private static let handshake: [(Relay.Side, Int)] = [(.initiator, 1), (.responder, 0), (.initiator, 2)]

    /// What went over a link with a frame each way, by side.
    @LoopActor private func recorded() async throws -> [Relay.Side: [[UInt8]]] {
      var all: [Relay.Side: [[UInt8]]] = [:]
      let (near, far) = try await Shake.link { side, _, message in
        all[side, default: []].append(message)
        return [.bytes(message)]
      }
      near.send(Heartbeat(request: 1))
      near.flush()
      _ = try await far.next()
      far.send(Alive(request: 1, life: 1))
      far.flush()
      _ = try await near.next()
      near.close()
      far.close()
      return all
    }

    @LoopActor private func rest(_ result: LinkResult) async -> [Received] {
      guard case .success(let link) = result else { return [] }
      return await link.rest().0
    }

    @Test @LoopActor func `a handshake message of another session fits nowhere`() async throws {
      let old = try await recorded()
      for (side, index) in Self.handshake {
        for (source, number) in Self.handshake {
          let other = try #require(old[source]?[number])
          let relay = try await Relay.make { from, count, message in
            [.bytes(from == side && count == index ? other : message)]
          }
          let shake = await Shake.over(relay.initiator, relay.responder)
          let place = "\(source) \(number) for \(side) \(index)"
          #expect(shake.responder.error != nil, "\(place)")
          // Who has sent the last message cannot know yet.
          if index < 2 { #expect(shake.initiator.error != nil, "\(place)") }
          #expect(await rest(shake.initiator).isEmpty, "\(place)")
        }
      }
    }

    @Test @LoopActor func `a frame of another session ends the link`() async throws {
      let old = try await recorded()
      for (side, first) in [(.initiator, 3), (.responder, 1)] as [(Relay.Side, Int)] {
        for source in [Relay.Side.initiator, .responder] {
          let other = try #require(old[source]?[source == .initiator ? 3 : 1])
          let (near, far) = try await Shake.link { from, index, message in
            [.bytes(from == side && index == first ? other : message)]
          }
          let (sender, receiver) = side == .initiator ? (near, far) : (far, near)
          sender.send(Heartbeat(request: 1))
          sender.flush()
          let (messages, error) = await receiver.rest()
          #expect(messages.isEmpty && error == .integrity)
        }
      }
    }

    @Test @LoopActor func `a message that never comes is given up on both sides`() async throws {
      for (side, index) in Self.handshake {
        let relay = try await Relay.make { from, count, message in
          from == side && count == index ? [] : [.bytes(message)]
        }
        let shake = await Shake.over(relay.initiator, relay.responder, time: 300)
        // Whose time is over first ends it for the other.
        let errors = [shake.initiator.error, shake.responder.error]
        #expect(errors.contains(.network(.timedOut)), "\(side) \(index)")
        #expect(errors.count { $0 != nil } == (index < 2 ? 2 : 1), "\(side) \(index)")
        #expect(await rest(shake.initiator).isEmpty)
      }
    }

    // MARK: What loses nothing

    @LoopActor private func expectAll(_ tamper: @escaping Relay.Tamper) async throws {
      let (near, far) = try await Shake.link(through: tamper)
      for (sender, receiver) in [(near, far), (far, near)] {
        for request: UInt32 in 0..<3 { sender.send(Heartbeat(request: request)) }
        sender.flush()
        for request: UInt32 in 0..<3 {
          #expect(try await receiver.next() == Received(Heartbeat(request: request)))
        }
      }
      near.close()
      #expect(await far.rest().1 == .closed(.done))
    }

    @Test @LoopActor func `split anywhere, all arrives`() async throws {
      for place in 1..<70 {
        try await expectAll { _, _, message in
          let place = min(place, message.count)
          return [.bytes(Array(message[..<place])), .bytes(Array(message[place...]))]
        }
      }
    }

    @Test @LoopActor func `in single bytes and late, all arrives`() async throws {
      try await expectAll { _, _, message in message.map { .bytes([$0]) } }
      try await expectAll { _, _, message in [.pause(20), .bytes(message)] }
      try await expectAll { _, index, message in
        index > 3 ? [.bytes(message)] : message.flatMap { [.pause(1), .bytes([$0])] }
      }
    }

    @Test @LoopActor func `several messages in one piece are as many`() async throws {
      var held: [UInt8] = []
      try await expectAll { side, index, message in
        // Three frames of each side together; what it sends after them, each by itself.
        let first = side == .initiator ? 3 : 1
        guard (first..<first + 3).contains(index) else { return [.bytes(message)] }
        held += message
        guard index == first + 2 else { return [] }
        defer { held = [] }
        return [.bytes(held)]
      }
    }

    // MARK: Large frames

    @Test(arguments: [false, true]) @LoopActor
    func `a large frame changed anywhere gives nothing`(isRekeyed: Bool) async throws {
      let length = 2 + ChunkHeader.frameOverhead + Limits.chunkData + aeadTagLength
      for _ in 0..<40 {
        let place = Int.random(in: 2..<length)
        let (near, far) = try await Shake.link { side, index, message in
          var changed = message
          if side == .initiator, message.count == length { changed[place] ^= 1 << UInt8(place % 8) }
          return [.bytes(changed)]
        }
        if isRekeyed { near.setRekeyLimitsForTestingOnly(frames: 2, bytes: 1 << 30) }
        for request: UInt32 in 0..<(isRekeyed ? 3 : 1) { near.send(Heartbeat(request: request)) }
        near.sendChunk(1, [UInt8](repeating: 7, count: Limits.chunkData))
        near.close()
        let (messages, error) = await far.rest()
        #expect(messages.map(\.type).allSatisfy { $0 == .heartbeat } && error == .integrity, "byte \(place)")
      }
    }
  }
}
