internal import SecchatCore

/// What a journal says of a transfer.
struct JournalState {
  struct Item {
    var identity: FileIdentity
    /// Each with its path below the item's; the first is the item itself.
    var entries: [(entry: Entry, path: String)]
    var isWhole = false

    var number: UInt32 { entries[0].entry.item }
    var isFolder: Bool { entries[0].entry.kind == .folder }
    var bytes: UInt64 { entries.reduce(0) { $0 + $1.entry.size } }
  }

  /// Items that have their names, and what they consist of.
  private(set) var finished: UInt32 = 0
  private(set) var finishedEntries: UInt32 = 0
  private(set) var finishedBytes: UInt64 = 0
  /// Those that followed, in order: complete ones without a name, and at most one that was still coming.
  private(set) var pending: [Item] = []

  mutating func take(_ note: JournalNote) {
    switch note {
    case .began(let entry, let identity): pending.append(Item(identity: identity, entries: [(entry, "")]))
    case .entry(let entry, let path):
      if !pending.isEmpty { pending[pending.count - 1].entries.append((entry, path)) }
    case .dropped: _ = pending.popLast()
    case .cut(let count):
      guard let last = pending.last, count > 0, Int(count) < last.entries.count else { return }
      pending[pending.count - 1].entries.removeSubrange(Int(count)...)
    case .whole(let number):
      guard let index = pending.firstIndex(where: { $0.number == number }) else { return }
      pending[index].isWhole = true
    case .finished(let number):
      guard let first = pending.first, first.number == number else { return }
      finished += 1
      finishedEntries += UInt32(first.entries.count)
      finishedBytes += first.bytes
      pending.removeFirst()
    }
  }
}
