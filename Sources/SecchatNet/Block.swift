import Glibc

/// A piece of memory for a stream's bytes.
@safe final class Block {
  let base: UnsafeMutableRawPointer
  let capacity: Int
  /// Whether its bytes are zeroed when it is let go.
  var isSecret = false

  fileprivate init(capacity: Int) {
    self.capacity = capacity
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
  }

  deinit {
    wipe()
    unsafe base.deallocate()
  }

  fileprivate func wipe() {
    guard isSecret else { return }
    unsafe explicit_bzero(base, capacity)
    isSecret = false
  }

  func bytes(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    return unsafe UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }
}

/// Blocks that are free at the moment, so that a busy stream can give up its block whenever it is empty and an
/// idle one holds none.
@LoopActor final class BlockPool {
  static let shared = BlockPool()

  private var free: [ContiguousArray<Block>] = []
  /// Bytes of the blocks that are here.
  private(set) var held = 0

  private init() {
    var size = Limits.smallestBlock
    while size <= Limits.largestBlock {
      free.append([])
      size *= 4
    }
  }

  /// The size of the block that holds `count` bytes.
  nonisolated static func size(holding count: Int) -> Int {
    var size = Limits.smallestBlock
    while size < count { size *= 4 }
    return size
  }

  private func shelf(_ size: Int) -> Int {
    (size / Limits.smallestBlock).trailingZeroBitCount / 2
  }

  func take(holding count: Int) -> Block {
    precondition(count <= Limits.largestBlock)
    let size = BlockPool.size(holding: count)
    guard let block = free[shelf(size)].popLast() else { return Block(capacity: size) }
    held -= size
    return block
  }

  func put(_ block: Block) {
    block.wipe()
    guard held + block.capacity <= Limits.pooledBytes else { return }
    held += block.capacity
    free[shelf(block.capacity)].append(block)
  }
}
