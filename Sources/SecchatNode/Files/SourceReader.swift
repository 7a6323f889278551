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

  private let walk: SourceWalk
  private let checksum: Bool
  private var current: Current?

  init(_ paths: [String], checksum: Bool) {
    walk = SourceWalk(paths)
    self.checksum = checksum
  }

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
      } else if let entry = try walk.next() {
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
