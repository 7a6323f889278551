import SecchatCore
import TestSupport
import Testing

@Suite struct FingerprintVectorTests {
  private struct Case: Decodable {
    let iterations: Int
    let idA: HexBytes
    let keyA: HexBytes
    let idB: HexBytes
    let keyB: HexBytes
    let fingerprintAFirst32: HexBytes
    let fingerprintBFirst32: HexBytes
    let display: String
  }

  @Test func `every file of numeric fingerprints`() throws {
    for file in try Vectors.files("fingerprint") {
      var tally = VectorTally(file)
      for test in try file.decode([Case].self) {
        try check(test)
        tally.run()
      }
      try tally.report()
    }
  }

  @Test func `the two sides compute the same number`() {
    let (a, b) = ([5] + [UInt8](repeating: 1, count: 32), [5] + [UInt8](repeating: 2, count: 32))
    let left = NumericFingerprint.display(idA: [1], keyA: a, idB: [2], keyB: b, iterations: 3)
    #expect(left == NumericFingerprint.display(idA: [2], keyA: b, idB: [1], keyB: a, iterations: 3))
    #expect(left.count == 60 && left.allSatisfy { "0"..."9" ~= $0 })
    #expect(left != NumericFingerprint.display(idA: [1], keyA: a, idB: [3], keyB: b, iterations: 3))
    #expect(left != NumericFingerprint.display(idA: [1], keyA: a, idB: [2], keyB: b, iterations: 4))
  }

  private func check(_ test: Case) throws {
    let sides = [
      (test.idA, test.keyA, test.fingerprintAFirst32), (test.idB, test.keyB, test.fingerprintBFirst32),
    ]
    for (id, key, expected) in sides {
      let hash = NumericFingerprint.hash(id: id.bytes, key: key.bytes, iterations: test.iterations)
      #expect(Array(hash.prefix(expected.bytes.count)) == expected.bytes)
    }
    let display = NumericFingerprint.display(
      idA: test.idA.bytes, keyA: test.keyA.bytes, idB: test.idB.bytes, keyB: test.keyB.bytes,
      iterations: test.iterations)
    #expect(display == test.display)
  }
}
