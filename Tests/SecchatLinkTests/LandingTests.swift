import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

extension LinkTests {
  /// Frames that are opened where their reader wants them.
  @Suite struct LandingTests {
    /// One piece of memory, lent for as long as it is large enough.
    @LoopActor private final class Field: Landing {
      private(set) var memory = [UInt8](repeating: 0xa5, count: Limits.framePlaintext)
      private(set) var landed: [Int] = []
      var isOpen = true

      func withLanding<Result>(_ count: Int, _ body: (inout MutableRawSpan) -> Result) -> Result? {
        guard isOpen else { return nil }
        landed.append(count)
        return memory.withMutableRaw { span in
          var part = span._mutatingExtracting(0..<count)
          return body(&part)
        }
      }
    }

    @Test @LoopActor func `large frames land, small ones and uninvited ones do not`() async throws {
      let (near, far) = try await Shake.link()
      let field = Field()
      far.landing = field
      let sizes = [1, 1_000, 8_000, 9_000, 30_000, Limits.chunkData]
      for isOpen in [true, false] {
        field.isOpen = isOpen
        for size in sizes {
          let data = [UInt8](repeating: UInt8(size % 251), count: size)
          near.sendChunk(7, data)
          near.flush()
          let received = try await far.next()
          #expect(received.type == .chunk)
          #expect(received.body == [0, 0, 0, 7] + data)
        }
      }
      #expect(field.landed == [9_005, 30_005, Limits.chunkData + 5])
      near.close()
      #expect(await far.rest().1 == .closed(.done))
    }

    @Test @LoopActor func `a field that is gone is not looked for`() async throws {
      let (near, far) = try await Shake.link()
      var field: Field? = Field()
      far.landing = field
      #expect(field != nil)
      field = nil
      #expect(far.landing == nil)
      near.sendChunk(7, fullChunk)
      near.flush()
      #expect(try await far.next().body.count == 4 + fullChunk.count)
    }

    /// Nobody sees any of it, and it is not left in memory.
    @Test(arguments: [0, 30_000, 60_015]) @LoopActor
    func `a forged frame that lands ends the link`(_ position: Int) async throws {
      let (raw, link) = try await RawPeer.linked()
      let field = Field()
      link.landing = field
      let data = [UInt8](repeating: 0x5a, count: 60_000)
      var frame = try raw.seal([FrameType.chunk.rawValue, 0, 0, 0, 1] + data)
      frame[2 + position] ^= 1
      raw.stream.send(frame)
      var isRead = false
      let outcome = await result { () throws(LinkError) in
        try await link.receive { (_, _) throws(WireError) in isRead = true }
      }
      #expect(outcome.error == .integrity)
      #expect(!isRead)
      #expect(field.landed == [60_005])
      #expect(field.memory[..<60_005].allSatisfy { $0 == 0 })
    }
  }
}
