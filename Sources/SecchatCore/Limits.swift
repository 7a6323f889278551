/// Every bound of the protocol on what may come from outside, each with its reason. Nothing is allocated before its length has passed
/// one of these.
package enum Limits {
  // Specification: the other side relies on these.

  /// A Noise message, and so a frame's body: what its two-byte length can say (Noise section 3).
  package static let noiseMessage = 65_535
  /// The plaintext of a frame: a Noise message less its tag.
  package static let framePlaintext = noiseMessage - 16
  /// A handshake message: the largest carries a device list of `devices` devices, 2,072 bytes.
  package static let handshakeMessage = 4_096
  /// A user name in bytes (= characters).
  package static let userName = 3...32
  /// Devices on one list. More than a person has; a list still fits a handshake message.
  package static let devices = 1...16
  /// The text of a CHAT, in bytes of UTF-8: a long letter, and still one frame.
  package static let chatText = 32_768
  /// What is inside a message's seal is padded to a multiple of this, so that sizes tell little.
  package static let chatBucket = 256
  /// The longest of it: a text of full length in its frame of 71 bytes, padded.
  package static let content = 33_024
  /// Messages that one receipt may name; it still takes few buckets.
  package static let readIDs = 64
  /// The data of one CHUNK: a whole number of disk sectors that fits a frame with its header.
  package static let chunkData = 65_024
  /// A path in an ENTRY, in bytes: Linux's PATH_MAX.
  package static let path = 4_096
  /// One component of a path, in bytes: NAME_MAX of the file systems in use.
  package static let pathComponent = 255
  /// How deep a path may nest, so that a hostile tree cannot exhaust a stack or a file system.
  package static let pathDepth = 64
  /// Entries in one offer: a large source tree, not a way to fill a disk with inodes.
  package static let offerEntries: UInt32 = 1_000_000
  /// Names in one WATCH request; they fit a frame.
  package static let watchBatch = 1_000
  /// Entries in one LIST answer; the largest entry is 84 bytes, so they fit a frame.
  package static let listPage = 700

  /// A direction rekeys before this many frames …
  package static let rekeyFrames: UInt64 = 1 << 16
  /// … or this many bytes of plaintext, whichever comes first.
  package static let rekeyBytes: UInt64 = 1 << 30
  /// CHATs a receiver grants beyond those it has handled.
  package static let chatCredit: UInt64 = 256
  /// Bytes of file data a receiver grants beyond those it has written: a few hundred milliseconds of a fast link.
  package static let fileCredit: UInt64 = 8 << 20
  /// One-time prekeys that a device may have at its registry, not handed out; and in one PUBLISH.
  package static let oneTimePrekeys = 100
  /// A handshake must be complete in this many milliseconds.
  package static let handshakeTime = 10_000
  /// Names one registry session may watch: a large contact list.
  package static let watchedNames = 2_000

  // Implementation: each side may choose its own.

  /// A new link is made when the old one is this old (milliseconds): a fresh handshake at least hourly.
  package static let linkAge = 55 * 60 * 1_000
}
