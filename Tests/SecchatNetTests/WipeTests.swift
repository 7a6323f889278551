import Testing

@testable import SecchatNet

/// What a stream that `wipes` leaves in memory that others get.
@Suite struct WipeTests {
  private let pattern = [UInt8](repeating: 0xA5, count: 700)

  @LoopActor private func fill(_ block: Block, from start: Int = 0) {
    for (offset, byte) in pattern.enumerated() {
      unsafe block.base.storeBytes(of: byte, toByteOffset: start + offset, as: UInt8.self)
    }
  }

  @LoopActor private func holdsPattern(_ block: Block) -> Bool {
    let bytes = unsafe Array(block.bytes(0..<block.capacity))
    return bytes.contains(0xA5)
  }

  /// Other tests may have left the pool full: what comes then is not kept.
  @LoopActor private func makeRoom() {
    var size = Limits.largestBlock
    while BlockPool.shared.held > Limits.pooledBytes / 2 {
      let before = BlockPool.shared.held
      _ = BlockPool.shared.take(holding: size)
      if BlockPool.shared.held == before { size /= 4 }
    }
  }

  /// The block that was put back last.
  @LoopActor private func reused(like block: Block) -> Block {
    let next = BlockPool.shared.take(holding: block.capacity)
    #expect(next === block)
    return next
  }

  @Test @LoopActor func aSecretBlockComesBackEmpty() {
    makeRoom()
    for isSecret in [true, false] {
      let block = BlockPool.shared.take(holding: 1)
      block.isSecret = isSecret
      fill(block)
      BlockPool.shared.put(block)
      let next = reused(like: block)
      #expect(holdsPattern(next) == !isSecret)
      #expect(!next.isSecret)
      next.isSecret = true
      BlockPool.shared.put(next)
    }
  }

  @Test @LoopActor func outputThatGrowsLeavesNothing() throws {
    makeRoom()
    var output = OutputBuffer()
    output.isSecret = true
    let small = output.lend(pattern.count)
    fill(small)
    output.giveBack(small, used: pattern.count)
    let larger = output.lend(small.capacity)
    #expect(larger !== small)
    output.giveBack(larger, used: 0)
    let next = reused(like: small)
    #expect(!holdsPattern(next))
    BlockPool.shared.put(next)
    let rest = output.take()
    let taken = try #require(rest)
    #expect(holdsPattern(taken.0) && taken.0.isSecret)
    BlockPool.shared.put(taken.0)
  }

  @Test @LoopActor func inputThatGrowsLeavesNothing() {
    makeRoom()
    var input = InputBuffer(limit: 1 << 16)
    input.isSecret = true
    _ = unsafe input.space()
    guard let (small, _) = input.lend() else { return #expect(Bool(false)) }
    fill(small)
    input.giveBack(small)
    input.received(small.capacity)
    _ = unsafe input.space()
    let next = reused(like: small)
    #expect(!holdsPattern(next))
    BlockPool.shared.put(next)
    guard let (larger, _) = input.lend() else { return #expect(Bool(false)) }
    #expect(holdsPattern(larger))
    input.giveBack(larger)
    input.release()
    let last = reused(like: larger)
    #expect(!holdsPattern(last))
    BlockPool.shared.put(last)
  }
}
