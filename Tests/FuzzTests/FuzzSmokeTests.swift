import FuzzTargets
import TestSupport
import Testing

/// The fuzz targets without a fuzzer: the same inputs in every run. One after the other, for they only compute and would
/// keep other tests from their deadlines.
@Suite(.serialized) struct FuzzSmokeTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `what is valid is accepted`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    #expect(!target.seeds.isEmpty)
    for seed in target.seeds { #expect(target.run(seed) == .accepted, "\(seed)") }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `cut at every byte`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for seed in target.seeds {
      for length in 0..<seed.count { expectSound(target, Array(seed[..<length]), isSeed: false) }
    }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `every bit flipped`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for seed in target.seeds {
      for index in seed.indices {
        for bit in 0..<8 {
          var changed = seed
          changed[index] ^= 1 << bit
          // A flipped bit may make another valid value; that it is written as it was read tells it from the seed.
          expectSound(target, changed)
        }
      }
    }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `a byte after the end`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for seed in target.seeds {
      for byte: UInt8 in [0, 1, 0x20, 0x61, 0xff] { expectSound(target, seed + [byte], isSeed: false) }
    }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `thousands of random changes`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    var random = SplitMix(state: 0x5ecc_4a7)
    for _ in 0..<3_000 {
      var bytes = target.seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, target.seeds, &random) }
      expectSound(target, bytes)
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ seeds: [[UInt8]], _ random: inout SplitMix) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: if place < bytes.count { bytes[place] = .random(in: 0...255, using: &random) }
    case 1: bytes.removeSubrange(place..<min(bytes.count, place + .random(in: 1...8, using: &random)))
    case 2: bytes.insert(.random(in: 0...255, using: &random), at: place)
    case 3: for index in place..<min(bytes.count, place + 4) { bytes[index] = 0xff }
    case 4: bytes.insert(contentsOf: bytes[place...].prefix(16), at: place)
    default:
      let other = seeds.randomElement(using: &random) ?? []
      bytes = Array(bytes[..<place]) + other.dropFirst(.random(in: 0...other.count, using: &random))
    }
  }

  /// - Parameter isSeed: false for what a decoder of exact forms must refuse.
  private func expectSound(_ target: FuzzTarget, _ bytes: [UInt8], isSeed: Bool = true) {
    let outcome = target.run(bytes)
    if case .broken(let what) = outcome { Issue.record("\(target.name): \(what): \(bytes)") }
    if target.isExact, !isSeed, outcome != .refused {
      Issue.record("\(target.name) took a beginning, or more than the whole: \(bytes)")
    }
  }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers in every run.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
