import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatNode
import TestSupport
import Testing

@Suite struct FilesHostileTests {
  /// What is no path under a folder: refused, and nothing is left.
  @Test(arguments: [
    "../../x", "..", ".", "", "/etc/passwd", "a/../b", "a//b", "a/", "a/./b", "new\nline", "nul\0",
    "esc\u{1b}[2J",
    "../\u{301}x", "a/..\u{2f}\u{301}..", String(repeating: "n", count: 300),
    String(repeating: "a/", count: 64) + "a", String(repeating: "a/", count: 2_500) + "a",
  ])
  @LoopActor func paths(path: String) async throws {
    for inside in [false, true] {
      let sender = try HostileSender(entries: 2, name: path)
      await sender.begin()
      if inside { try sender.entry("x", folder: true) }
      try sender.entry(inside ? "x/" + path : path)
      #expect(await sender.cancelled() == .malformed)
      #expect(sender.left.isEmpty)
      #expect(listing(sender.folder.path) == ["downloads/", "downloads/mallory/"])
    }
  }

  enum Lie: CaseIterable {
    case tooMuchData, tooLittleData, endsWithAnotherSize, endWithoutEntry, chunkWithoutEntry, chunkForFolder
    case entryBeforeEnd, tooManyEntries, tooManyBytes, tooFewBytes, tooFewItems, itemSkipped, itemBack,
      otherItemName, otherBytes
    case notUnderTheItem, underAFile, twice, fileWhereFolderWas, folderWhereFileWas, noFolder, otherName,
      doubleEnd
  }

  @Test(arguments: Lie.allCases) @LoopActor func lies(lie: Lie) async throws {
    func sender(_ items: UInt32, _ entries: UInt32, _ bytes: UInt64) async throws -> HostileSender {
      let sender = try HostileSender(items: items, entries: entries, bytes: bytes)
      await sender.begin()
      return sender
    }
    var reason = Cancel.Reason.malformed
    let it: HostileSender
    switch lie {
    case .tooMuchData:
      it = try await sender(1, 1, 4)
      try it.entry("x", size: 4)
      try it.chunk([1, 2, 3, 4, 5])
    case .tooLittleData:
      it = try await sender(1, 1, 4)
      try it.entry("x", size: 4)
      try it.chunk([1, 2, 3])
      try it.end(4)
      reason = .integrity
    case .endsWithAnotherSize:
      it = try await sender(1, 1, 4)
      try it.entry("x", size: 4)
      try it.chunk([1, 2, 3, 4])
      try it.end(3)
      reason = .integrity
    case .endWithoutEntry:
      it = try await sender(1, 1, 0)
      try it.end(0)
    case .chunkWithoutEntry:
      it = try await sender(1, 1, 4)
      try it.chunk([1])
    case .chunkForFolder:
      it = try await sender(1, 2, 4)
      try it.entry("x", folder: true)
      try it.chunk([1])
    case .entryBeforeEnd:
      it = try await sender(2, 2, 4)
      try it.entry("x", size: 4)
      try it.entry("y", item: 1)
    case .tooManyEntries:
      it = try await sender(1, 2, 0)
      try it.entry("x", folder: true)
      try it.entry("x/file")
      try it.entry("x/more", folder: true)
    case .tooManyBytes:
      it = try await sender(1, 1, 4)
      try it.entry("x", size: .max)
    case .tooFewBytes:
      it = try await sender(1, 1, 4)
      try it.file("x", [1, 2, 3])
    case .tooFewItems:
      it = try await sender(2, 2, 0)
      try it.entry("x", folder: true)
      try it.entry("x/y", folder: true)
    case .itemSkipped:
      it = try await sender(3, 3, 0)
      try it.entry("x", item: 1)
    case .itemBack:
      it = try await sender(2, 3, 0)
      try it.entry("x", folder: true)
      try it.entry("y", item: 1, folder: true)
      try it.entry("x/y", item: 0, folder: true)
    case .otherItemName:
      it = try await sender(1, 2, 0)
      try it.entry("x", folder: true)
      try it.entry("y", folder: true)
    case .otherBytes:
      // The same letter, and another name: in one piece, and as a letter with its accent.
      it = try HostileSender(items: 1, entries: 2, bytes: 0, name: "\u{e9}")
      await it.begin()
      try it.entry("e\u{301}", folder: true)
    case .notUnderTheItem:
      it = try await sender(1, 2, 0)
      try it.entry("x", folder: true)
      try it.entry("y/z", folder: true)
    case .underAFile:
      it = try await sender(1, 2, 0)
      try it.file("x")
      try it.entry("x/y")
    case .twice:
      it = try await sender(1, 4, 0)
      try it.entry("x", folder: true)
      try it.file("x/y")
      try it.file("x/y")
    case .fileWhereFolderWas:
      it = try await sender(1, 4, 0)
      try it.entry("x", folder: true)
      try it.entry("x/y", folder: true)
      try it.file("x/y")
    case .folderWhereFileWas:
      it = try await sender(1, 4, 0)
      try it.entry("x", folder: true)
      try it.file("x/y")
      try it.entry("x/y", folder: true)
    case .noFolder:
      it = try await sender(1, 4, 0)
      try it.entry("x", folder: true)
      try it.file("x/y/z")
      reason = .targetFailed
    case .otherName:
      it = try await sender(1, 1, 0)
      try it.entry("y")
    case .doubleEnd:
      it = try await sender(1, 2, 0)
      try it.entry("x", folder: true)
      try it.file("x/y")
      try it.end(0)
      // It was complete before.
      #expect(await it.cancelled() == .malformed)
      return
    }
    #expect(await it.cancelled() == reason)
    #expect(it.failure != nil)
    #expect(it.left.isEmpty)
    #expect(it.files.isEmpty)
    #expect(!it.receiver.isOver)
    // Until the answer comes, whatever follows is ignored.
    try it.entry("x")
    try it.receiver.handle(.cancel(Cancel(stream: 7, reason: .stopped)))
    #expect(it.receiver.isOver)
    #expect(it.left.isEmpty)
  }

  @Test @LoopActor func beyondTheCredit() async throws {
    let sender = try HostileSender(bytes: 64 << 20)
    await sender.begin()
    try sender.entry("x", size: 64 << 20)
    let chunk = [UInt8](repeating: 7, count: SecchatCore.Limits.chunkData)
    #expect(throws: WireError.malformed) {
      for _ in 0...(2 * Int(SecchatCore.Limits.fileCredit) / chunk.count) { try sender.chunk(chunk) }
    }
    #expect(sender.receiver.queuedBytes > 4 << 20)
    #expect(sender.receiver.queuedBytes <= Int(SecchatCore.Limits.fileCredit))
    sender.receiver.fail(NodeError(.peerOffline, "gone"))
    #expect(await sender.cancelled() == nil)
    #expect(sender.left.isEmpty)
  }

  @Test @LoopActor func moreThanADiskHolds() async throws {
    let sender = try HostileSender(bytes: 1 << 60)
    await sender.begin()
    #expect(sender.failure?.status == .refused)
    #expect(await eventually { sender.answers == [.refuse(Refuse(id: sender.offer.id, reason: .noRoom))] })
    #expect(sender.receiver.isOver)
  }

  @Test @LoopActor func beforeTheAnswer() async throws {
    let sender = try HostileSender(bytes: 4)
    #expect(throws: WireError.malformed) { try sender.chunk([1]) }
    try sender.entry("x", size: 4)
    await sender.begin()
    #expect(await sender.cancelled() == .malformed)
  }

  @Test @LoopActor func aFloodOfEntries() async throws {
    let count: UInt32 = 20_000
    let sender = try HostileSender(entries: count)
    await sender.begin()
    try sender.entry("x", folder: true)
    #expect(throws: WireError.malformed) {
      for number in 1..<count { try sender.entry("x/\(number)", folder: true) }
    }
    sender.receiver.fail(NodeError(.peerOffline, "gone"))
    _ = await sender.cancelled()
    #expect(sender.left.isEmpty)
  }

  @Test @LoopActor func aWrongDigest() async throws {
    let bytes = randomBytes(100_000)
    for spoil in [false, true] {
      for first in [true, false] {
        let sender = try HostileSender(items: 2, entries: 2, bytes: 200_000)
        await sender.begin()
        let digest = BLAKE2b.hash256(bytes.raw)
        for (item, name) in ["x", "y"].enumerated() {
          try sender.entry(name, item: UInt32(item), size: 100_000)
          let wrong = spoil && (item == 0) == first
          var sent = bytes
          if wrong { sent[50_000] ^= 1 }
          try sender.chunk(Array(sent[..<60_000]))
          try sender.chunk(Array(sent[60_000...]))
          try sender.end(100_000, digest: digest)
          _ = await eventually { sender.files.count > item || sender.hasEnded }
        }
        #expect(await sender.cancelled() == (spoil ? .integrity : nil))
        #expect(sender.left == (spoil ? (first ? [] : ["x"]) : ["x", "y"]))
      }
    }
  }

  @Test @LoopActor func names() async throws {
    let long = String(repeating: "é", count: 120) + ".tar.gz"
    let cases = [
      "\u{202e}fdp.exe": "_fdp.exe", ".bashrc": "_.bashrc", ".\u{301}hidden": "_.\u{301}hidden",
      "a\u{2066}b": "a_b",
      "a\u{2028}b": "a_b", "\u{9b}2J": "_2J", long: long, "👨‍👩‍👧.jpg": "👨‍👩‍👧.jpg", "...": "_...",
      "." + String(repeating: "x", count: 254): "_." + String(repeating: "x", count: 253),
      // What other systems keep for themselves means nothing here.
      "CON": "CON", "trailing dot.": "trailing dot.", "trailing blank ": "trailing blank ",
    ]
    for (name, wanted) in cases {
      let sender = try HostileSender(entries: 3, name: name)
      await sender.begin()
      try sender.entry(name, folder: true)
      try sender.file(name + "/a\u{202e}")
      try sender.file(name + "/a_")
      #expect(await sender.cancelled() == nil)
      #expect(sender.left == [wanted + "/", wanted + "/a_", wanted + "/a_ (2)"])
      #expect(sender.files.first?.name == wanted)
    }
  }

  /// Names that the receiver's own parts and journals have: what is called so stands beside them, and nobody takes it for
  /// one of them.
  @Test(arguments: ["journal", "0", "x"]) @LoopActor func namesOfParts(kind: String) async throws {
    let (id, keeper) = (Random.bytes() as MessageID, try Keeper())
    let name = kind == "x" ? ".x.0123abcd.part" : ".secchat-\(Hex.encode(id.array))-\(kind).part"
    let sender = try HostileSender(
      items: 2, entries: 3, bytes: 2, name: name, keeping: keeper.keeping(id), id: id)
    await sender.begin()
    try sender.file(name, [1])
    try sender.entry("folder", item: 1, folder: true)
    try sender.file("folder/" + name, item: 1, [2])
    #expect(await sender.cancelled() == nil)
    await sender.receiver.forget()
    // Also when a node starts and removes what crashes have left.
    DownloadFolder.sweep(downloads: sender.folder.file("downloads"), of: ["mallory"])
    #expect(sender.left == ["_" + name, "folder/", "folder/" + name])
    #expect(contents(sender.folder.file("downloads/mallory/_" + name)) == [1])
    #expect(contents(sender.folder.file("downloads/mallory/folder/" + name)) == [2])
  }

  @Test @LoopActor func times() async throws {
    for modified: UInt64 in [0, 5, UInt64(UInt32.max) * 4, .max] {
      let sender = try HostileSender()
      await sender.begin()
      try sender.entry("x", modified: modified)
      try sender.end(0)
      #expect(await sender.cancelled() == nil)
      let path = sender.folder.file("downloads/mallory/x")
      let date = try #require(
        try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
      #expect((date.timeIntervalSince1970 == 5) == (modified == 5))
      #expect(date.timeIntervalSinceNow < 10)
    }
  }
}
