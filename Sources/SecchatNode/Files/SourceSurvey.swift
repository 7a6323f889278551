internal import Glibc
internal import SecchatCore
internal import SecchatCrypto

/// What there is to send, before it is offered.
package struct SourceSurvey: Sendable {
  struct Item: Sendable {
    var name: String
    var entries: UInt32 = 0
    var bytes: UInt64 = 0
    var skipped = 0
    var isFile = true
  }

  private(set) var items: [Item] = []
  private(set) var entries: UInt32 = 0
  private(set) var bytes: UInt64 = 0
  /// Of every name, size and time: another one tells that something has changed.
  let digest: FixedBytes<32>

  /// Looks at everything, and makes sure that it can be read. Blocks.
  package init(_ paths: [String]) throws(NodeError) {
    var hasher = BLAKE2b.hasher256()
    let walk = SourceWalk(paths, probing: true)
    while let entry = try walk.next() {
      guard entries < Limits.offerEntries else {
        throw NodeError(
          .usage, "more than \(Limits.offerEntries) files and folders", hint: "send them in several parts")
      }
      if entry.item == items.count { items.append(Item(name: entry.path)) }
      entries += 1
      items[items.count - 1].entries += 1
      hasher.update(Self.fields(entry))
      guard !entry.isFolder else {
        items[items.count - 1].isFile = false
        continue
      }
      items[items.count - 1].bytes += UInt64(entry.status.st_size)
      bytes += UInt64(entry.status.st_size)
    }
    for index in items.indices { items[index].skipped = walk.skipped[index] }
    digest = hasher.digest256()
  }

  private static func fields(_ entry: SourceEntry) -> [UInt8] {
    var writer = WireWriter(capacity: 64 + entry.path.utf8.count)
    writer.u32(entry.item)
    writer.flag(entry.isFolder)
    writer.text16(entry.path)
    // A folder's own time changes with what is in it, which is looked at anyway.
    guard !entry.isFolder else { return writer.bytes }
    writer.flag(entry.status.st_mode & S_IXUSR != 0)
    writer.u64(UInt64(entry.status.st_size))
    writer.u64(UInt64(bitPattern: Int64(entry.status.st_mtim.tv_sec)))
    writer.u64(UInt64(bitPattern: Int64(entry.status.st_mtim.tv_nsec)))
    return writer.bytes
  }
}
