internal import CSystem
internal import Glibc
internal import SecchatCore
internal import SecchatCrypto

/// What is to be done on disk, in order.
enum WriteOperation: Sendable {
  /// The first ENTRY of an item.
  case begin(Entry, FilePath)
  /// An ENTRY below the item's.
  case inside(Entry, FilePath)
  case data(Block, Range<Int>)
  case end(digest: FixedBytes<32>?)
  /// The item is complete.
  case finish
  /// What there is of the item goes: it comes from its beginning.
  case anew
}

/// An item that has come to its final name.
struct FinishedItem: Sendable, Equatable {
  var item: UInt32
  var name: String
  var bytes: UInt64
}

/// Writes what comes of one offer. Blocks; one thread at a time.
@safe final class ItemWriter: @unchecked Sendable {
  private struct Item {
    var number: UInt32
    var name: String
    var partial: String
    /// The file itself, or the folder that all of it goes under; locked.
    var root: Descriptor
    var isFolder: Bool
    var bytes: UInt64 = 0
    /// Whether a name in it is not as the sender wrote it, and so may meet another.
    var isTidied = false
  }

  let folder: DownloadFolder
  private var item: Item?
  private var file: IncomingFile?
  private var complete: [Item] = []
  /// Whether the sender gives digests; the first one is checked by reading the file again.
  private var hashes = false
  /// Bytes of a folder's files that may not be on disk yet.
  private var unsynced: UInt64 = 0
  /// For the items' names, and for those in the item that is coming.
  private(set) var itemNumbers = NameNumbers()
  private(set) var innerNumbers = NameNumbers()
  /// Of a transfer that may go on another time.
  private var journal: TransferJournal?
  private var transfer: MessageID?

  init(_ folder: DownloadFolder) { self.folder = folder }

  /// Does it all, up to the first failure; what was finished until then counts in any case.
  func perform(_ operations: [WriteOperation]) -> (finished: [FinishedItem], failure: TransferFailure?) {
    var finished: [FinishedItem] = []
    do throws(TransferFailure) {
      for operation in operations {
        try perform(operation)
        if complete.count >= FileLimits.itemsAtOnce { try settle(&finished) }
      }
      try settle(&finished)
      do throws(SystemError) { try journal?.write() } catch { throw TransferFailure(error) }
      if journal?.isFull == true { throw .tooManyNames }
      return (finished, nil)
    } catch {
      return (finished, error)
    }
  }

  /// Removes what is incomplete, and what was noted of it.
  func discard() {
    file = nil
    for item in complete { folder.remove(item.partial) }
    complete = []
    if let item { folder.remove(item.partial) }
    item = nil
    forget()
  }

  /// Lets go of what is incomplete, so that it can go on another time; without a journal it cannot.
  func suspend() {
    guard journal != nil else { return discard() }
    file = nil
    complete = []
    item = nil
    journal = nil
  }

  /// Removes what was noted: nothing goes on after this.
  func forget() {
    journal = nil
    if let transfer { folder.remove(FileName.partial(of: transfer, item: nil)) }
  }

  /// Notes from now on what comes.
  func keep(_ journal: TransferJournal, of transfer: MessageID) {
    self.journal = journal
    self.transfer = transfer
  }

  /// Goes on with an item that an earlier part of the transfer has begun.
  func goOn(
    with first: Entry, in root: Descriptor, called partial: String, bytes: UInt64, isTidied: Bool,
    file: IncomingFile?
  ) {
    item = Item(
      number: first.item, name: FileName.item(first.path), partial: partial, root: root,
      isFolder: first.kind == .folder, bytes: bytes, isTidied: isTidied)
    self.file = file
  }

  /// Gives an item its name.
  func settle(
    _ root: Descriptor, called partial: String, as name: String, isFolder: Bool
  ) throws(SystemError) -> String {
    try folder.settle(root, called: partial, as: name, isFolder: isFolder, numbers: &itemNumbers)
  }

  private func perform(_ operation: WriteOperation) throws(TransferFailure) {
    var isSound = true
    do throws(SystemError) {
      switch operation {
      case .begin(let entry, let path): try begin(entry, path)
      case .inside(let entry, let path): try open(entry, path)
      case .data(let block, let range): try file?.write(block, range)
      case .end(let digest): isSound = try end(digest)
      case .finish:
        if let item { complete.append(item) }
        item = nil
      case .anew:
        file = nil
        if let item { folder.remove(item.partial) }
        item = nil
        journal?.note(.dropped)
      }
    } catch {
      throw TransferFailure(error)
    }
    if !isSound { throw .integrity }
  }

  private func begin(_ entry: Entry, _ path: FilePath) throws(SystemError) {
    let name = FileName.item(path.components[0])
    let partial =
      transfer.map { FileName.partial(of: $0, item: entry.item) } ?? DownloadFolder.partialName(name)
    let isFolder = entry.kind == .folder
    // Of an item that was dropped something may be left.
    if transfer != nil { folder.remove(partial) }
    let root = try folder.locking { () throws(SystemError) in
      isFolder
        ? try folder.beneath.makeFolder([partial], under: folder.descriptor)
        : try create([partial], under: folder.descriptor, executable: entry.executable)
    }
    item = Item(number: entry.item, name: name, partial: partial, root: root, isFolder: isFolder)
    innerNumbers = NameNumbers()
    if let journal { journal.note(.began(entry, FileIdentity(try root.status()))) }
    if !isFolder { file = IncomingFile(root, entry, hashes: hashes) }
  }

  private func open(_ entry: Entry, _ path: FilePath) throws(SystemError) {
    guard var item else { throw SystemError(EINVAL) }
    let components = path.components.dropFirst().map { FileName.tidied($0) }
    item.isTidied = item.isTidied || !components.elementsEqual(path.components.dropFirst())
    self.item = item
    var path = components
    if entry.kind == .folder {
      _ = try folder.beneath.makeFolder(components[...], under: item.root)
    } else {
      let (descriptor, name) = try createInside(item, components, executable: entry.executable)
      file = IncomingFile(descriptor, entry, hashes: hashes)
      path[path.count - 1] = name
    }
    journal?.note(.entry(entry, path: path.joined(separator: "/")))
  }

  private func createInside(
    _ item: Item, _ path: [String], executable: Bool
  ) throws(SystemError) -> (file: Descriptor, name: String) {
    guard let name = path.last else { throw SystemError(EINVAL) }
    guard item.isTidied else {
      return (try create(path[...], under: item.root, executable: executable), name)
    }
    let parent = path.dropLast()
    let free = try innerNumbers.firstFree(name, in: parent) { (name) throws(SystemError) -> Descriptor? in
      do throws(SystemError) {
        return try create(parent + [name], under: item.root, executable: executable)
      } catch  where error.code == EEXIST {
        return nil
      }
    }
    guard let free else { throw SystemError(EEXIST) }
    return (free.taken, free.name)
  }

  private func create(
    _ path: ArraySlice<String>, under root: Descriptor, executable: Bool
  ) throws(SystemError) -> Descriptor {
    try folder.beneath.open(
      path, under: root, flags: O_RDWR | O_CREAT | O_EXCL, mode: executable ? 0o700 : 0o600)
  }

  /// Whether the digest is the file's.
  private func end(_ digest: FixedBytes<32>?) throws(SystemError) -> Bool {
    guard let file, var item else { throw SystemError(EINVAL) }
    self.file = nil
    let size = file.written
    if let digest {
      hashes = true
      guard try file.digest() == digest else { return false }
    }
    file.setModified()
    item.bytes += size
    self.item = item
    if item.isFolder {
      unsynced += size
      if unsynced >= FileLimits.dirtyFolder {
        unsynced = 0
        try folder.descriptor.syncFileSystem()
      }
    }
    return true
  }

  /// Sees complete items to disk, then to their names, then the names to disk.
  private func settle(_ finished: inout [FinishedItem]) throws(TransferFailure) {
    guard !complete.isEmpty else { return }
    do throws(SystemError) {
      if complete.count > FileLimits.separateFlushes || complete.contains(where: \.isFolder) {
        unsynced = 0
        try folder.descriptor.syncFileSystem()
      } else {
        for item in complete { try item.root.sync() }
      }
      if let journal {
        for item in complete { journal.note(.whole(item.number)) }
        try journal.write()
      }
      let (settled, failure) = settleComplete()
      // What has come to its name counts, whatever became of the one after it.
      try folder.descriptor.sync()
      for item in settled { journal?.note(.finished(item.item)) }
      finished += settled
      if let failure { throw failure }
    } catch {
      throw TransferFailure(error)
    }
  }

  /// Gives complete items their names, up to the first that cannot have one.
  private func settleComplete() -> (settled: [FinishedItem], failure: SystemError?) {
    var settled: [FinishedItem] = []
    do throws(SystemError) {
      while let item = complete.first {
        let name = try settle(
          item.root, called: item.partial, as: item.name, isFolder: item.isFolder)
        settled.append(FinishedItem(item: item.number, name: name, bytes: item.bytes))
        complete.removeFirst()
      }
      return (settled, nil)
    } catch {
      return (settled, error)
    }
  }
}

extension TransferFailure {
  fileprivate static var tooManyNames: TransferFailure {
    TransferFailure(
      .targetFailed,
      NodeError(
        .internal, "the names of the files take more than \(FileLimits.journal >> 20) MiB to remember",
        hint: "ask for them in several parts"))
  }

  /// What the disk said.
  init(_ error: SystemError) {
    if error.isNoRoom {
      self.init(.diskFull, NodeError(.internal, "\(error): a file could not be received", hint: "make room"))
    } else if error.code == EEXIST {
      self.init(.malformed, Self.malformed.error)
    } else {
      self.init(
        .targetFailed,
        NodeError(.internal, "a file could not be written: \(error)", hint: "see to the download folder"))
    }
  }
}
