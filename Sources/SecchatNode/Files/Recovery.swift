internal import SecchatCore
internal import SecchatCrypto

/// What is on disk of a transfer that was cut short.
struct Recovery: Sendable {
  /// Items under their names, all those before the one that was coming.
  var finished: UInt32 = 0
  var finishedEntries: UInt32 = 0
  var finishedBytes: UInt64 = 0
  /// Those of them that had been complete but for the name.
  var settled: [FinishedItem] = []
  var open: OpenItem?

  /// The item that was coming.
  struct OpenItem: Sendable {
    var number: UInt32
    /// As its ENTRY had it.
    var name: String
    var isFolder: Bool
    var entries: UInt32
    /// The sizes of these entries together.
    var announced: UInt64
    /// The last entry, where it is a file.
    var file: (size: UInt64, held: UInt64)?
    var digest: FixedBytes<32>

    /// Bytes of it that are there.
    var bytes: UInt64 { announced - (file.map { $0.size - $0.held } ?? 0) }
  }

  /// What ACCEPT tells of it; nil where there is nothing.
  var held: Held? {
    if let open {
      return Held(item: open.number, entries: open.entries, offset: open.file?.held ?? 0, digest: open.digest)
    }
    guard finished > 0 else { return nil }
    return Held(item: finished, entries: 0, offset: 0, digest: HeldDigest().digest())
  }

  var bytes: UInt64 { finishedBytes + (open?.bytes ?? 0) }
}
