package import SecchatNet

/// What accepted offers have yet to take of the disk, of all transfers of a node together: gone for the next offer.
@LoopActor package final class PromisedRoom {
  // Both only grow; they may wrap round, for only differences count.
  private var promised: UInt64 = 0
  private var settled: UInt64 = 0

  package nonisolated init() {}

  /// A moment, to be taken before one looks at the disk: what is written after it is not counted as written.
  struct Mark { fileprivate let settled: UInt64 }

  var mark: Mark { Mark(settled: settled) }

  /// Promises `bytes` of the `spare` ones that were on the disk since `mark`, unless others have been promised them.
  func promise(_ bytes: UInt64, of spare: UInt64, since mark: Mark) -> Bool {
    let others = promised &- mark.settled
    guard others <= spare, bytes <= spare - others else { return false }
    promised &+= bytes
    return true
  }

  /// Takes back what has been written, or will never be.
  func settle(_ bytes: UInt64) { settled &+= bytes }
}
