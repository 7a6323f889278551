import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct NoiseVectorTests {
  /// Transcripts, either bare or in the `vectors` of an object.
  private struct Transcripts: Decodable {
    let vectors: [NoiseTranscript]
  }

  private struct Rekey: Decodable {
    let k: HexBytes
    let rekeyed: HexBytes
  }

  @Test func `every published transcript`() throws {
    for file in try Vectors.files("noise") { try check(file) }
  }

  @Test func `our own transcripts, written by the Python package noiseprotocol`() throws {
    let path = "Tests/SecchatCoreTests/Fixtures/noise-transcripts.json"
    let data = try Data(contentsOf: Vectors.packageRoot.appending(path: path))
    let file = VectorFile(topic: "noise", name: path, data: data)
    let transcripts = try file.decode(Transcripts.self).vectors
    #expect(transcripts.count == 5)
    for transcript in transcripts {
      #expect(transcript.reasonToSkip == nil)
      try transcript.check()
    }
  }

  private func check(_ file: VectorFile) throws {
    var tally = VectorTally(file)
    if let rekeys = try? file.decode([Rekey].self) {
      for rekey in rekeys {
        try check(rekey)
        tally.run()
      }
    } else {
      let transcripts =
        try (try? file.decode([NoiseTranscript].self)) ?? file.decode(Transcripts.self).vectors
      for transcript in transcripts {
        if let reason = transcript.reasonToSkip {
          tally.skip(reason)
        } else {
          try transcript.check()
          tally.run()
        }
      }
    }
    try tally.report()
  }

  /// The key after a rekey is told by what it seals.
  private func check(_ rekey: Rekey) throws {
    var state = try CipherState.forTestingOnly(key: SecretBytes(rekey.k.bytes))
    state.rekey()
    #expect(state.messages == 0)
    var expected = try CipherState.forTestingOnly(key: SecretBytes(rekey.rekeyed.bytes))
    let (left, right) = (try state.sealed([1, 2, 3]), try expected.sealed([1, 2, 3]))
    #expect(left == right)
  }
}
