internal import CSystem
internal import Glibc
internal import SecchatCore
internal import SecchatCrypto

/// A file that is being received.
final class IncomingFile {
  private let descriptor: Descriptor
  private let modified: UInt64
  private var hasher: BLAKE2b?
  private(set) var written: UInt64

  /// - Parameter written: what it has already; the descriptor stands behind it.
  init(_ descriptor: Descriptor, _ entry: Entry, hashes: Bool, written: UInt64 = 0) {
    self.descriptor = descriptor
    self.written = written
    modified = entry.modified
    hasher = hashes ? BLAKE2b.hasher256() : nil
  }

  func write(_ block: Block, _ range: Range<Int>) throws(SystemError) {
    try block.write(range, to: descriptor)
    block.withBytes(range) { bytes in hasher?.update(bytes) }
    let before = written / FileLimits.writeOut
    written += UInt64(range.count)
    // A large file goes to disk as it comes, or the flush at its end would take minutes.
    guard written / FileLimits.writeOut > before else { return }
    let end = written / FileLimits.writeOut * FileLimits.writeOut
    secchat_write_out(descriptor.number, Int64(end - FileLimits.writeOut), Int64(FileLimits.writeOut), 0)
    guard end > FileLimits.dirty else { return }
    let old = end - FileLimits.dirty - FileLimits.writeOut
    secchat_write_out(descriptor.number, Int64(old), Int64(FileLimits.writeOut), 1)
  }

  /// The digest of what was written; where it was not taken on the way, the file is read again.
  func digest() throws(SystemError) -> FixedBytes<32> {
    if let hasher = hasher.take() { return hasher.digest256() }
    var hasher = BLAKE2b.hasher256()
    let block = Block()
    guard lseek(descriptor.number, 0, SEEK_SET) == 0 else { throw .last }
    while try block.append(from: descriptor, limit: FileLimits.block) > 0 {
      block.withBytes(0..<block.count) { bytes in hasher.update(bytes) }
      block.clear()
    }
    return hasher.digest256()
  }

  /// Gives it the time that the sender's had, within reason: not none at all, and not the future.
  func setModified() {
    let now = UInt64(max(0, time(nil)))
    guard modified > 0, modified < now + 86_400 else { return }
    let time = timespec(tv_sec: Int(modified), tv_nsec: 0)
    // A file system without such times keeps its own.
    unsafe _ = futimens(descriptor.number, [time, time])
  }
}
