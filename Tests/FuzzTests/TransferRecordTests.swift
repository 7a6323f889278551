import SecchatCore
import SecchatCrypto
import Testing

@testable import SecchatNode

/// What a profile remembers of transfers is sealed, in its database and in journals; it is read as if it were not.
@Suite struct TransferRecordTests {
  private func records() throws -> [[UInt8]] {
    let account = Account(name: try #require(UserName("bob")), registry: LinkPublicKey(Random.bytes()))
    var record = TransferRecord(
      key: .init(id: Random.bytes(), peer: account, isIncoming: true), state: .paused, changed: 1_700_000_000,
      name: "Grüße.txt", items: 2, entries: 9, bytes: 1 << 40, held: 7, downloads: "/home/alice/inbox")
    var all = [record.encoded]
    record.key.isIncoming = false
    for rate in [nil, 5_000] as [UInt64?] {
      record.source = .init(
        paths: ["/a", "/b/c"], limitRate: rate, checksum: true, survey: Random.bytes(), isBegun: rate == nil)
      all.append(record.encoded)
    }
    return all
  }

  private func notes() -> [[UInt8]] {
    let entry = Entry(
      stream: 1, item: 3, kind: .file, executable: true, modified: 1, size: 5, path: "a/b")
    let notes: [JournalNote] = [
      .began(entry, FileIdentity(device: 1, inode: .max)), .entry(entry, path: "b_ (2)"), .dropped, .cut(4),
      .whole(3), .finished(3),
    ]
    return notes.map { note in
      var writer = WireWriter()
      note.encode(into: &writer)
      return writer.bytes
    }
  }

  private func recoded(record bytes: [UInt8]) -> [UInt8]? { TransferRecord(decoding: bytes)?.encoded }

  private func recoded(note bytes: [UInt8]) -> [UInt8]? {
    var reader = WireReader(bytes.raw)
    guard let note = try? JournalNote(from: &reader), reader.remaining == 0 else { return nil }
    var writer = WireWriter()
    note.encode(into: &writer)
    return writer.bytes
  }

  @Test func `cut, prolonged or changed, it is refused or means what it says`() throws {
    for (samples, recode) in [(try records(), recoded(record:)), (notes(), recoded(note:))] {
      for bytes in samples {
        #expect(recode(bytes) == bytes)
        for length in bytes.indices { #expect(recode(Array(bytes[..<length])) == nil) }
        for byte: UInt8 in [0, 1, 0xff] { #expect(recode(bytes + [byte]) == nil) }
        for index in bytes.indices {
          for bit in [0, 3, 7] {
            var changed = bytes
            changed[index] ^= 1 << UInt8(bit)
            guard let again = recode(changed) else { continue }
            #expect(again == changed)
          }
        }
      }
    }
  }
}
