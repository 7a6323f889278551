import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// A receiver lends the place where a file's next data belongs, whatever is put there.
@Suite struct FilesLandingTests {
  private static let header = ChunkHeader.frameOverhead

  @Test @LoopActor func whatever() async throws {
    let bytes = randomBytes(3_000_000)
    let sender = try HostileSender(bytes: UInt64(bytes.count))
    await sender.begin()
    try sender.entry("x", size: UInt64(bytes.count))
    var (start, landed, refused) = (0, 0, 0)
    while start < bytes.count {
      let count = min([1, 20_000, Limits.chunkData, 63_999][start % 4], bytes.count - start)
      let data = Array(bytes[start..<start + count])
      // Another frame, or one that did not authenticate: nothing of it counts.
      _ = sender.receiver.withLanding(Limits.framePlaintext) { span in
        span.copy(from: [UInt8](repeating: 0xee, count: span.byteCount).raw)
      }
      let plaintext = [FrameType.chunk.rawValue, 0, 0, 0, 7] + data
      let outcome = sender.receiver.withLanding(Self.header + count) { span in
        span.copy(from: plaintext.raw)
        return Result { () throws(WireError) in
          try sender.receiver.take(chunk: span.bytes.extracting(Self.header..<span.byteCount))
        }
      }
      if let outcome {
        try outcome.get()
        landed += 1
      } else {
        refused += 1
        try sender.chunk(data)
      }
      start += count
      // Written now and then; before, a whole block comes together.
      if start > bytes.count / 2, start % 7 == 0 { await Task.yield() }
    }
    try sender.end(UInt64(bytes.count))
    #expect(await sender.cancelled() == nil)
    #expect(sender.failure == nil)
    #expect(contents(sender.folder.file("downloads/mallory/x")) == bytes)
    // The end of a block has no room for all of them.
    #expect(landed > refused && refused > 0)
    #expect(sender.receiver.withLanding(Limits.framePlaintext) { _ in true } == nil, "over is over")
  }
}
