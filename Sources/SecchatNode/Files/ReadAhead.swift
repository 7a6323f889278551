internal import SecchatNet

/// A block that is being filled on another thread.
@LoopActor final class ReadAhead {
  private var result: Result<[SourcePiece], NodeError>?
  private let done = Signal()

  init(_ reader: SourceReader, into block: Block) {
    Loop.spawn {
      self.result = await Loop.offload { reader.fill(block) }
      self.done.raise()
    }
  }

  /// What is in it; until then the block is the other thread's.
  func outcome() async -> Result<[SourcePiece], NodeError> {
    while true {
      if let result { return result }
      _ = await done.wait()
    }
  }
}
