internal import SecchatCore

/// What may come next of an offer: checks the order of ENTRY, CHUNK and END and that they keep to what was offered.
struct EntryOrder {
  private let offer: Offer
  private var entries: UInt32 = 0
  private var announced: UInt64 = 0
  private var item: (number: UInt32, name: String, isFolder: Bool)?
  private var file: (size: UInt64, received: UInt64)?
  private var itemEnded = true
  /// Items that came before, over another link.
  private var finished: UInt32 = 0

  init(_ offer: Offer) { self.offer = offer }

  /// Whether what is held can be a part of what was offered.
  mutating func goOn(after recovery: Recovery) -> Bool {
    guard begin(after: recovery) else { return false }
    guard let open = recovery.open else { return true }
    guard open.entries <= offer.entries - entries, open.announced <= offer.bytes - announced,
      open.number == recovery.finished, open.number < offer.items
    else { return false }
    entries += open.entries
    announced += open.announced
    item = (open.number, open.name, open.isFolder)
    itemEnded = false
    file = open.file.map { ($0.size, $0.held) }
    return true
  }

  /// The same for the item that is held to come anew.
  mutating func begin(after recovery: Recovery) -> Bool {
    guard recovery.finished <= offer.items, recovery.finishedEntries <= offer.entries,
      recovery.finishedBytes <= offer.bytes
    else { return false }
    entries = recovery.finishedEntries
    announced = recovery.finishedBytes
    finished = recovery.finished
    item = nil
    file = nil
    itemEnded = true
    return true
  }

  /// Whether everything that was offered has come.
  var isComplete: Bool { entries == offer.entries && file == nil }

  /// What an ENTRY begins.
  struct Step: Equatable {
    var path: FilePath
    /// Whether the item before is complete, as this ENTRY shows.
    var endsItem = false
    /// Whether it is the first of its item.
    var beginsItem = false
  }

  mutating func entry(_ entry: Entry) throws(TransferFailure) -> Step {
    guard file == nil, entries < offer.entries, entry.size <= offer.bytes - announced,
      entry.item < offer.items,
      let path = try? FilePath(entry.path)
    else { throw .malformed }
    var step = Step(path: path)
    if let item, item.number == entry.item {
      guard item.isFolder, path.components.count > 1, path.components[0].hasBytes(of: item.name) else {
        throw .malformed
      }
    } else {
      let next = item.map { $0.number + 1 } ?? finished
      guard entry.item == next, path.components.count == 1,
        next > 0 || path.components[0].hasBytes(of: offer.name)
      else {
        throw .malformed
      }
      step.endsItem = !itemEnded
      step.beginsItem = true
      item = (next, path.components[0], entry.kind == .folder)
      itemEnded = false
    }
    entries += 1
    announced += entry.size
    if entry.kind == .file { file = (entry.size, 0) }
    if isComplete { try complete() }
    return step
  }

  mutating func chunk(_ count: Int) throws(TransferFailure) {
    guard let open = file, UInt64(count) <= open.size - open.received else { throw .malformed }
    file = (open.size, open.received + UInt64(count))
  }

  /// Whether the file was the whole item.
  mutating func end(_ end: End) throws(TransferFailure) -> Bool {
    guard let open = file, let item else { throw .malformed }
    guard end.size == open.size, open.received == open.size else { throw .integrity }
    file = nil
    itemEnded = !item.isFolder
    if isComplete { try complete() }
    return itemEnded
  }

  /// Whether an item is complete because nothing more was offered; says so once.
  mutating func endsLastItem() -> Bool {
    guard isComplete, !itemEnded else { return false }
    itemEnded = true
    return true
  }

  private func complete() throws(TransferFailure) {
    guard let item, item.number + 1 == offer.items, announced == offer.bytes else { throw .malformed }
  }
}

extension TransferFailure {
  /// Something that a sender of good will does not do.
  static let malformed = TransferFailure(
    .malformed,
    NodeError(.integrity, "what came was not what had been offered", hint: "nothing of it was kept"))
  static let integrity = TransferFailure(
    .integrity, NodeError(.integrity, "a file was damaged on its way", hint: "ask for it again"))
}
