/// Bytes written and not yet handed to the system.
@LoopActor struct OutputBuffer: ~Copyable {
  private var block: Block?
  private(set) var count = 0
  private var isLent = false
  /// Whether the blocks that it takes from now on are zeroed when they are let go.
  var isSecret = false

  var isEmpty: Bool { count == 0 }

  /// Whether `size` more bytes fit without moving what is there.
  func hasRoom(for size: Int) -> Bool { block.map { $0.capacity - count >= size } ?? true }

  /// Lends the block with room for `size` more bytes at `count`.
  mutating func lend(_ size: Int) -> Block {
    precondition(!isLent, "a write inside a write")
    isLent = true
    if let current = block, current.capacity - count >= size {
      block = nil
      return current
    }
    let larger = BlockPool.shared.take(holding: count + size)
    larger.isSecret = isSecret
    if let current = block {
      unsafe larger.base.copyMemory(from: current.base, byteCount: count)
      BlockPool.shared.put(current)
    }
    block = nil
    return larger
  }

  /// Takes the block back with `used` bytes more in it.
  mutating func giveBack(_ lent: Block, used: Int) {
    isLent = false
    count += used
    block = lent
  }

  /// Takes all bytes out, if there are any and nobody is writing just now.
  mutating func take() -> (Block, Int)? {
    guard !isLent, let taken = block else { return nil }
    block = nil
    let size = count
    count = 0
    if size == 0 {
      BlockPool.shared.put(taken)
      return nil
    }
    return (taken, size)
  }

  mutating func discard() {
    if let (block, _) = take() { BlockPool.shared.put(block) }
    count = 0
  }
}
