internal import Glibc
internal import SecchatCore
internal import SecchatCrypto

/// Finds what an earlier part of a transfer has left, and goes on with it.
extension ItemWriter {
  /// Gives complete items their names, and opens the one that was coming for more. Reads all of that one: it may take a
  /// while. Blocks.
  func recover(_ seal: JournalSeal) throws(SystemError) -> Recovery {
    var state = JournalState()
    let journal = try TransferJournal(seal, in: folder) { state.take($0) }
    keep(journal, of: seal.id)
    var recovery = Recovery()
    while let item = state.pending.first, item.isWhole, let name = try settle(item, of: seal.id) {
      let entry = item.entries[0].entry
      recovery.settled.append(FinishedItem(item: entry.item, name: name, bytes: item.bytes))
      let note = JournalNote.finished(entry.item)
      journal.note(note)
      state.take(note)
    }
    if !recovery.settled.isEmpty { try folder.descriptor.sync() }
    (recovery.finished, recovery.finishedEntries, recovery.finishedBytes) = (
      state.finished, state.finishedEntries, state.finishedBytes
    )
    // What follows on one that has to come again has to as well.
    for item in state.pending.dropFirst().reversed() { drop(item, of: seal.id, journal) }
    if let item = state.pending.first {
      recovery.open = item.isWhole ? nil : try open(item, of: seal.id, journal)
      if recovery.open == nil { drop(item, of: seal.id, journal) }
    }
    try journal.write()
    return recovery
  }

  private func drop(_ item: JournalState.Item, of id: MessageID, _ journal: TransferJournal) {
    folder.remove(FileName.partial(of: id, item: item.number))
    journal.note(.dropped)
  }

  /// The part, where it is the one that was noted.
  private func part(_ item: JournalState.Item, of id: MessageID, writable: Bool) throws(SystemError)
    -> Descriptor?
  {
    let name = FileName.partial(of: id, item: item.number)
    let flags = item.isFolder ? O_RDONLY | O_DIRECTORY : (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK
    do throws(SystemError) {
      let part = try folder.locking { () throws(SystemError) in
        try folder.beneath.open([name], under: folder.descriptor, flags: flags)
      }
      return try FileIdentity(part.status()) == item.identity ? part : nil
    } catch  where [ENOENT, ELOOP, ENOTDIR].contains(error.code) {
      return nil
    }
  }

  /// The name of an item that was complete: it has it already where that was all that was noted no more.
  private func settle(_ item: JournalState.Item, of id: MessageID) throws(SystemError) -> String? {
    guard let part = try part(item, of: id, writable: false) else {
      return try folder.name(of: item.identity)
    }
    let name = FileName.item(item.entries[0].entry.path)
    return try settle(
      part, called: FileName.partial(of: id, item: item.number), as: name, isFolder: item.isFolder)
  }

  /// Opens the item that was coming; nil where nothing of it can be used.
  private func open(
    _ item: JournalState.Item, of id: MessageID, _ journal: TransferJournal
  ) throws(SystemError) -> Recovery.OpenItem? {
    guard let root = try part(item, of: id, writable: true) else { return nil }
    var digest = HeldDigest()
    var count = 0
    var last: (file: Descriptor, held: UInt64)?
    let block = Block()
    for (entry, path) in item.entries {
      let found = try self.entry(entry, at: path, under: root)
      guard let found, found.held <= entry.size else { break }
      count += 1
      digest.begin(entry)
      last = entry.kind == .file ? (found.file, found.held) : nil
      guard entry.kind == .file else { continue }
      try Self.hash(found.file, found.held, with: block, into: &digest)
      if found.held < entry.size { break }
    }
    guard count > 0 else { return nil }
    if count < item.entries.count { journal.note(.cut(UInt32(count))) }
    let entries = item.entries.prefix(count)
    if item.isFolder {
      folder.clean(root, keeping: Set(entries.dropFirst().lazy.map { Array($0.path.utf8) }))
    }
    let (latest, first) = (entries[count - 1].entry, entries[0].entry)
    let bytes = entries.reduce(0) { $0 + $1.entry.size }
    goOn(
      with: first, in: root, called: FileName.partial(of: id, item: item.number),
      bytes: bytes - (last == nil ? 0 : latest.size),
      isTidied: entries.dropFirst().contains { first.path + "/" + $0.path != $0.entry.path },
      file: last.map { IncomingFile($0.file, latest, hashes: false, written: $0.held) })
    return Recovery.OpenItem(
      number: item.number, name: first.path, isFolder: item.isFolder, entries: UInt32(count),
      announced: bytes,
      file: last.map { (latest.size, $0.held) }, digest: digest.digest())
  }

  /// The file or folder of an entry, and how much of it is there; nil where it is not.
  private func entry(
    _ entry: Entry, at path: String, under root: Descriptor
  ) throws(SystemError) -> (file: Descriptor, held: UInt64)? {
    let isFolder = entry.kind == .folder
    do throws(SystemError) {
      let file =
        path.isEmpty
        ? root
        : try folder.beneath.open(
          path.split(separator: "/").map(String.init)[...], under: root,
          flags: isFolder ? O_RDONLY | O_DIRECTORY : O_RDWR | O_NONBLOCK)
      let status = try file.status()
      guard status.st_mode & S_IFMT == (isFolder ? S_IFDIR : S_IFREG) else { return nil }
      return (file, isFolder ? 0 : UInt64(status.st_size))
    } catch  where [ENOENT, ELOOP, ENOTDIR, EISDIR, ENXIO].contains(error.code) {
      return nil
    }
  }

  /// Leaves the file's position behind what was read.
  private static func hash(
    _ file: Descriptor, _ count: UInt64, with block: Block, into digest: inout HeldDigest
  ) throws(SystemError) {
    var left = count
    while left > 0 {
      block.clear()
      let read = try block.append(from: file, limit: Int(min(left, UInt64(FileLimits.block))))
      guard read > 0 else { throw SystemError(EIO) }
      block.withBytes(0..<read) { digest.update($0) }
      left -= UInt64(read)
    }
  }
}
