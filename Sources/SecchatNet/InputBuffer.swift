/// Bytes received and not yet consumed, in one piece.
///
/// It takes memory as bytes come, not as they are announced, and gives it back when empty.
@LoopActor struct InputBuffer: ~Copyable {
  let limit: Int
  private var block: Block?
  private var head = 0
  private var tail = 0
  /// Whether the blocks that it takes from now on are zeroed when they are let go.
  var isSecret = false
  /// The size that the last burst was worth.
  private var wanted = Limits.smallestBlock

  init(limit: Int) { self.limit = BlockPool.size(holding: limit) }

  var count: Int { tail - head }
  var isFull: Bool { count >= limit }

  /// Where the next bytes go; empty when full.
  mutating func space() -> UnsafeMutableRawBufferPointer {
    if head == tail {
      head = 0
      tail = 0
    }
    guard let current = block else {
      let fresh = BlockPool.shared.take(holding: wanted)
      fresh.isSecret = isSecret
      block = fresh
      return unsafe fresh.bytes(0..<fresh.capacity)
    }
    if current.capacity - tail < current.capacity / 4 {
      if count > current.capacity / 2, current.capacity < limit {
        move(to: BlockPool.shared.take(holding: current.capacity * 4))
        BlockPool.shared.put(current)
      } else if head > 0 {
        move(to: current)
      }
    }
    guard let block else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    return unsafe block.bytes(tail..<block.capacity)
  }

  private mutating func move(to other: Block) {
    guard let block else { return }
    other.isSecret = isSecret
    unsafe other.base.copyMemory(from: block.base + head, byteCount: count)
    self.block = other
    tail -= head
    head = 0
  }

  /// `count` bytes have been put into the space.
  mutating func received(_ count: Int) {
    guard let block else { return }
    tail += count
    if tail == block.capacity {
      wanted = min(limit, block.capacity * 4)
    } else if head == 0, tail * 4 < block.capacity, block.capacity == wanted {
      wanted = max(Limits.smallestBlock, wanted / 4)
    }
  }

  mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= self.count)
    head += count
  }

  mutating func releaseIfEmpty() {
    if head == tail { release() }
  }

  mutating func release() {
    head = 0
    tail = 0
    if let block { BlockPool.shared.put(block) }
    block = nil
  }

  /// Lends the block to a caller that works on the bytes in place; `giveBack` returns it. What the caller does to the
  /// stream meanwhile cannot take the memory away.
  mutating func lend() -> (Block, Range<Int>)? {
    guard let lent = block else { return nil }
    block = nil
    return (lent, head..<tail)
  }

  mutating func giveBack(_ lent: Block) { block = lent }
}
