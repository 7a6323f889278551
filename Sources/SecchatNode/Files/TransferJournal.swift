internal import Glibc
package import SecchatCore
internal import SecchatCrypto

/// Seals what is noted of one transfer, so that it tells nobody a name and nobody else can have written it.
package struct JournalSeal: Sendable {
  let id: MessageID
  private let secret: SecretIdentity
  private let sender: [UInt8]

  package init(_ id: MessageID, from sender: Account, _ secret: SecretIdentity) {
    self.id = id
    self.secret = secret
    self.sender = sender.encoded
  }

  private func associated(_ number: UInt64) -> [UInt8] {
    var writer = WireWriter()
    writer.raw(Labels.prefix(Labels.transferJournal))
    writer.raw(sender)
    writer.fixed(id)
    writer.u64(number)
    return writer.bytes
  }

  func seal(_ plain: [UInt8], number: UInt64) -> [UInt8] {
    secret.storage.sealWithRandomNonce(plain.raw, authenticating: associated(number).raw)
  }

  func open(_ sealed: [UInt8], number: UInt64) -> [UInt8]? {
    do throws(CryptoError) {
      return try secret.storage.openRow(sealed, authenticating: associated(number))
    } catch {
      return nil
    }
  }
}

/// What a receiver remembers of a transfer while it comes, beside its parts: what a `kill` leaves of it is enough to go
/// on. Each record is a length and sealed notes; a record that was cut short ends it.
final class TransferJournal {
  private let seal: JournalSeal
  private let folder: DownloadFolder
  private let name: String
  /// For reading, and for the lock. What is open for writing would keep its file system from turning read-only.
  private let file: Descriptor
  private let limit: UInt64
  private var records: UInt64 = 0
  /// Bytes on file.
  private var size: UInt64 = 0
  private var waiting = WireWriter()

  /// More than the notes of one trip to the disk can take.
  private static let recordLimit = 32 << 20

  /// Opens the journal, or makes one; hands over what it has.
  init(
    _ seal: JournalSeal, in folder: DownloadFolder, limit: UInt64 = FileLimits.journal,
    note: (JournalNote) -> Void
  ) throws(SystemError) {
    self.seal = seal
    self.limit = limit
    self.folder = folder
    let name = FileName.partial(of: seal.id, item: nil)
    self.name = name
    file = try folder.locking { () throws(SystemError) in
      try folder.beneath.open(
        [name], under: folder.descriptor, flags: O_RDONLY | O_CREAT | O_NONBLOCK, mode: 0o600)
    }
    let status = try file.status()
    guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(ELOOP) }
    let end = try read(note)
    size = UInt64(end)
    guard end < status.st_size else { return }
    let writer = try writer()
    _ = try SystemError.check { ftruncate(writer.number, off_t(end)) }
  }

  private func writer() throws(SystemError) -> Descriptor {
    let writer = try folder.beneath.open(
      [name], under: folder.descriptor, flags: O_WRONLY | O_APPEND | O_NONBLOCK)
    // Not something that has been put in its place.
    guard FileIdentity(try writer.status()) == FileIdentity(try file.status()) else {
      throw SystemError(ELOOP)
    }
    return writer
  }

  /// Where the last sound record ends.
  private func read(_ note: (JournalNote) -> Void) throws(SystemError) -> Int {
    var end = 0
    // What is beyond the bound was the end of a transfer.
    while end <= limit {
      guard let header = try bytes(4) else { return end }
      let length = header.reduce(0) { $0 << 8 | Int($1) }
      guard length <= Self.recordLimit, let sealed = try bytes(length),
        let plain = seal.open(sealed, number: records)
      else { return end }
      var reader = WireReader(plain.raw)
      do {
        while reader.remaining > 0 { note(try JournalNote(from: &reader)) }
      } catch { return end }
      records += 1
      end += 4 + length
    }
    return end
  }

  private func bytes(_ count: Int) throws(SystemError) -> [UInt8]? {
    let status = try file.status()
    let place = try SystemError.check { lseek(file.number, 0, SEEK_CUR) }
    guard Int(status.st_size) - place >= count else { return nil }
    let bytes = try file.read(count)
    return bytes.count == count ? bytes : nil
  }

  /// Whether more has been noted than may be.
  var isFull: Bool { size > limit }

  /// Remembers something; `write` puts it on file.
  func note(_ note: JournalNote) { note.encode(into: &waiting) }

  /// Writes what was noted.
  func write() throws(SystemError) {
    guard !waiting.bytes.isEmpty else { return }
    let sealed = seal.seal(waiting.bytes, number: records)
    waiting = WireWriter()
    var record = WireWriter(capacity: sealed.count + 4)
    record.u32(UInt32(sealed.count))
    record.raw(sealed)
    try writer().write(record.bytes)
    records += 1
    size += UInt64(record.bytes.count)
  }
}
