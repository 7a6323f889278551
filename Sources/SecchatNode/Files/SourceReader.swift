internal import CSystem
internal import Glibc
internal import SecchatCore
internal import SecchatCrypto

/// What goes over the link, in order.
enum SourcePiece: Sendable {
  /// The ENTRY; its stream is filled in by the sender.
  case entry(Entry)
  /// Bytes of the block that was filled.
  case data(Range<Int>)
  case end(size: UInt64, digest: FixedBytes<32>?)
}

/// Reads what a user named, file after file. One thread at a time.
@safe final class SourceReader: @unchecked Sendable {
  private struct Current: ~Copyable {
    var file: Descriptor
    var path: String
    var before: stat
    var left: UInt64
    var hasher: BLAKE2b?
  }

  private let paths: [String]
  private var walk: SourceWalk
  private let checksum: Bool
  private var current: Current?
  /// An entry that was read and not sent yet.
  private var next: SourceEntry?

  init(_ paths: [String], checksum: Bool) {
    self.paths = paths
    walk = SourceWalk(paths)
    self.checksum = checksum
  }

  // MARK: What the receiver has

  private struct Check: ~Copyable {
    var digest = HeldDigest()
    var entries: UInt32 = 0
    var bytes: UInt64 = 0
    /// Of the current file, to be compared yet.
    var left: UInt64 = 0
  }

  private var check: Check?

  /// How far a check has come.
  enum CheckStep {
    case more
    /// The source is what the receiver has: what follows on it is read next. How many entries that is, and the sizes of
    /// them together.
    case same(entries: UInt32, bytes: UInt64, fileIsOpen: Bool)
    /// It is not: the item is read from its beginning.
    case different
  }

  /// Goes on comparing what the receiver has with the source, at most a few blocks of it. Blocks.
  func check(_ held: Held, with block: Block) -> Result<CheckStep, NodeError> {
    do throws(NodeError) {
      var check: Check
      if let begun = self.check.take() {
        check = begun
      } else {
        try skip(to: held.item)
        check = Check()
      }
      for _ in 0..<FileLimits.entriesAtOnce {
        guard check.left == 0 else {
          guard try compare(&check, with: block) else { return .success(try different(held)) }
          continue
        }
        if check.entries == held.entries { return .success(try compared(check, held)) }
        guard try begin(&check, held) else { return .success(try different(held)) }
      }
      self.check = consume check
      return .success(.more)
    } catch {
      return .failure(error)
    }
  }

  /// Whether there is such an entry.
  private func begin(_ check: inout Check, _ held: Held) throws(NodeError) -> Bool {
    // A file that is not the last has been compared whole; it was read to its end, but for what changed meanwhile.
    current = nil
    guard let entry = try take(), entry.item == held.item else { return false }
    let message = try begin(entry)
    check.digest.begin(message)
    check.entries += 1
    check.bytes += message.size
    guard message.kind == .file else { return check.entries < held.entries || held.offset == 0 }
    check.left = check.entries == held.entries ? held.offset : message.size
    return check.left <= message.size
  }

  /// Reads a block; false where the file is shorter than it was.
  private func compare(_ check: inout Check, with block: Block) throws(NodeError) -> Bool {
    guard var file = current.take() else { return false }
    block.clear()
    let wanted = Int(min(check.left, UInt64(block.room)))
    do throws(SystemError) {
      guard try block.append(from: file.file, limit: wanted) == wanted else { return false }
    } catch { throw Self.failed(file.path, error) }
    block.withBytes(0..<wanted) { bytes in
      check.digest.update(bytes)
      file.hasher?.update(bytes)
    }
    check.left -= UInt64(wanted)
    file.left -= UInt64(wanted)
    current = consume file
    return true
  }

  private func compared(_ check: consuming Check, _ held: Held) throws(NodeError) -> CheckStep {
    let (entries, bytes) = (check.entries, check.bytes)
    guard check.digest.digest() == held.digest else { return try different(held) }
    return .same(entries: entries, bytes: bytes, fileIsOpen: current != nil)
  }

  private func different(_ held: Held) throws(NodeError) -> CheckStep {
    current = nil
    next = nil
    walk = SourceWalk(paths)
    try skip(to: held.item)
    return .different
  }

  /// Leaves out the items before this one.
  func skip(to item: UInt32) throws(NodeError) {
    while let entry = try take() {
      guard entry.item < item else {
        next = entry
        return
      }
    }
  }

  private func take() throws(NodeError) -> SourceEntry? {
    if let entry = next {
      next = nil
      return entry
    }
    return try walk.next()
  }

  /// What of the file that is being read has not been yet.
  var left: UInt64 { current?.left ?? 0 }

  // MARK: Reading

  /// Fills the block with as much as fits, of as many files as there are; nothing when all has been read. Blocks.
  func fill(_ block: Block) -> Result<[SourcePiece], NodeError> {
    do throws(NodeError) {
      return .success(try pieces(block))
    } catch {
      return .failure(error)
    }
  }

  private func pieces(_ block: Block) throws(NodeError) -> [SourcePiece] {
    block.clear()
    var pieces: [SourcePiece] = []
    while pieces.count < FileLimits.entriesAtOnce {
      if current != nil {
        guard block.room > 0 else { break }
        try read(into: block, &pieces)
      } else if let entry = try take() {
        pieces.append(.entry(try begin(entry)))
      } else {
        break
      }
    }
    return pieces
  }

  private func begin(_ entry: SourceEntry) throws(NodeError) -> Entry {
    var message = Entry(
      stream: 0, item: entry.item, kind: .folder, executable: false,
      modified: Self.seconds(entry.status.st_mtim), size: 0, path: entry.path)
    if entry.isFolder { return message }
    do throws(SystemError) {
      let file = try entry.open(folder: false)
      let status = try file.status()
      guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(ENOENT) }
      message.kind = .file
      message.executable = status.st_mode & S_IXUSR != 0
      message.modified = Self.seconds(status.st_mtim)
      message.size = UInt64(status.st_size)
      current = Current(
        file: file, path: entry.path, before: status, left: message.size,
        hasher: checksum ? BLAKE2b.hasher256() : nil)
      return message
    } catch {
      throw Self.failed(entry.path, error)
    }
  }

  private static func seconds(_ time: timespec) -> UInt64 { UInt64(max(0, time.tv_sec)) }

  private func read(into block: Block, _ pieces: inout [SourcePiece]) throws(NodeError) {
    guard var file = current.take() else { return }
    do throws(SystemError) {
      let start = block.count
      let wanted = Int(min(file.left, UInt64(block.room)))
      let count = try block.append(from: file.file, limit: wanted)
      guard count == wanted else { throw SystemError(ESTALE) }
      file.left -= UInt64(count)
      if count > 0 {
        pieces.append(.data(start..<block.count))
        block.withBytes(start..<block.count) { bytes in file.hasher?.update(bytes) }
      }
      if file.left > 0 {
        current = consume file
        return
      }
      let after = try file.file.status()
      guard after.st_size == file.before.st_size, after.st_mtim.tv_sec == file.before.st_mtim.tv_sec,
        after.st_mtim.tv_nsec == file.before.st_mtim.tv_nsec
      else { throw SystemError(ESTALE) }
      pieces.append(.end(size: UInt64(after.st_size), digest: file.hasher.take()?.digest256()))
    } catch {
      throw Self.failed(file.path, error)
    }
  }

  private static func failed(_ path: String, _ error: SystemError) -> NodeError {
    error.code == ESTALE
      ? changed(path)
      : NodeError(
        .usage, "cannot read \(FileName.tidied(path)): \(error)", hint: "send it again when it can be read")
  }

  static func changed(_ path: String) -> NodeError {
    NodeError(
      .usage, "\(FileName.tidied(path)) changed while it was being sent",
      hint: "send it again when it is at rest")
  }
}
