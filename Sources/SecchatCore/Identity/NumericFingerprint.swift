internal import SecchatCrypto

/// Signal's numeric fingerprint, version 0: 30 digits for each side, sorted, 60 in all.
package enum NumericFingerprint {
  /// How often the hash is iterated, so that a near collision costs 5,200 times as much to search for.
  package static let iterations = 5_200

  /// The number that two parties compare: the same whichever of them computes it.
  package static func display(
    idA: [UInt8], keyA: [UInt8], idB: [UInt8], keyB: [UInt8], iterations: Int = iterations
  ) -> String {
    let a = digits(of: hash(id: idA, key: keyA, iterations: iterations))
    let b = digits(of: hash(id: idB, key: keyB, iterations: iterations))
    return a < b ? a + b : b + a
  }

  /// SHA-512 iterated over version, key and identifier, and the key again each time; 64 bytes.
  package static func hash(id: [UInt8], key: [UInt8], iterations: Int = iterations) -> [UInt8] {
    var hash = [0, 0] + key + id
    for _ in 0..<iterations {
      var state = SHA512()
      state.update(hash)
      state.update(key)
      hash = state.finalize()
    }
    return hash
  }

  /// Six groups of five digits from the first 30 bytes.
  private static func digits(of hash: [UInt8]) -> String {
    stride(from: 0, to: 30, by: 5).map { start in
      let value = hash[start..<start + 5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 100_000
      let text = String(value)
      return String(repeating: "0", count: 5 - text.count) + text
    }.joined()
  }
}
