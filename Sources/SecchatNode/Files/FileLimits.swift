internal import SecchatCore

/// The bounds of sending and receiving files, each with its reason.
enum FileLimits {
  /// What is read, queued and written in one piece, in whole chunks and whole pages (254): large enough that a trip to
  /// another thread costs nothing beside it.
  static let block = 16 * Limits.chunkData
  /// How long data may wait for more to make up a block, in milliseconds: a receiver that is killed loses it.
  static let gathering = 5
  /// Files and folders handled in one trip to another thread: some milliseconds of work on an ordinary disk.
  static let entriesAtOnce = 512
  /// Entries that may wait for the disk before the link's reader has to wait; with the longest paths 4 MiB.
  static let queuedEntries = 1_024
  /// A reader that does not wait is stopped here: nothing but this program's own mistake gets so far.
  static let queuedEntriesAtMost = 2 * queuedEntries
  /// Items that come to their names together, after one wait for the disk; each holds a descriptor until then.
  static let itemsAtOnce = 64
  /// More complete items than this are cheaper brought to disk by flushing the file system once.
  static let separateFlushes = 4
  /// A file's bytes are pushed to disk in steps of this size …
  static let writeOut: UInt64 = 8 << 20
  /// … and no more than this much of it is left for the flush at its end, which would else stall for minutes.
  static let dirty: UInt64 = 64 << 20
  /// The same for the files of a folder together.
  static let dirtyFolder: UInt64 = 256 << 20
  /// What the slowest disk that is worth waiting for takes in a millisecond, in bytes.
  static let slowDisk: UInt64 = 20_000
  /// Empty blocks kept for the data to come.
  static let spareBlocks = 8
  /// Left free on the disk by whatever is received, so that the machine goes on working: this much …
  static let reserve: UInt64 = 64 << 20
  /// … or one part in so many of a small disk.
  static let reserveShare: UInt64 = 20
  /// What a file or folder takes on disk besides its data, about.
  static let entryOverhead: UInt64 = 4_096
  /// What may be noted of one transfer, all of which is read into memory where it goes on: a tree of a million files with
  /// ordinary names takes about 200 MB, the longest names would take a hundred times as much.
  static let journal: UInt64 = 256 << 20
  /// What is noted of one file or folder, at most.
  static let journalEntry: UInt64 = 4 * UInt64(Limits.path)
  /// How long the other side's user may think about an offer, in milliseconds.
  static let answerPatience = 5 * 60 * 1_000
  /// How long a transfer may stand still otherwise, in milliseconds.
  static let stallPatience = 60_000
  /// Milliseconds between two progress events.
  static let progressInterval = 100
  /// What is tried when a name is taken: `name (2)` to `name (9999)`.
  static let sameNames = 2...9_999
}
