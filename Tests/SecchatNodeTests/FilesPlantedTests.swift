import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatNode
import Testing

/// What others put into the download folder, before and meanwhile.
@Suite struct FilesPlantedTests {
  @Test(arguments: allWays) @LoopActor func linkForTheSendersFolder(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder()
    for name in ["downloads", "elsewhere"] {
      try FileManager.default.createDirectory(atPath: folder / name, withIntermediateDirectories: false)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder / "downloads/mallory", withDestinationPath: folder / "elsewhere")
    let sender = try HostileSender(folder: folder, ways: ways)
    await sender.begin()
    #expect(await sender.cancelled() == .targetFailed)
    #expect(sender.failure?.status == .usage)
    #expect(listing(folder / "elsewhere").isEmpty)
  }

  @Test(arguments: allWays) @LoopActor func linkForAFile(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "precious")
    try folder.write([], to: "downloads/mallory/other")
    for name in ["x", "x (2)"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder / "downloads/mallory/" + name, withDestinationPath: folder / "precious")
    }
    let sender = try HostileSender(bytes: 1, folder: folder, ways: ways)
    await sender.begin()
    try sender.file("x", [9])
    #expect(await sender.cancelled() == nil)
    #expect(contents(folder / "precious") == [1, 2, 3])
    #expect(contents(folder / "downloads/mallory/x (3)") == [9])
  }

  /// A folder of the tree that is coming is swapped for a link, or the tree's own.
  @Test(arguments: allWays, [false, true])
  @LoopActor func swappedForALink(ways: DownloadFolder.Ways, atTheTop: Bool) async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder / "elsewhere/deep", withIntermediateDirectories: true)
    let sender = try HostileSender(entries: 5, bytes: 2, folder: folder, ways: ways)
    await sender.begin()
    try sender.entry("x", folder: true)
    try sender.entry("x/deep", folder: true)
    try sender.file("x/deep/first", [1])
    #expect(await eventually { sender.left.contains { $0.hasSuffix("/deep/first") } })
    let partial = try #require(sender.left.first { $0.hasSuffix(".part/") })
    let swapped = folder / "downloads/mallory/" + partial + (atTheTop ? "" : "deep")
    let name = atTheTop ? String(swapped.dropLast()) : swapped
    try FileManager.default.moveItem(atPath: name, toPath: folder / "moved")
    try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: folder / "elsewhere")
    try sender.file("x/deep/second", [2])
    try sender.entry("x/deep/third", folder: true)
    #expect(await sender.cancelled() == .targetFailed)
    #expect(sender.left.isEmpty)
    #expect(listing(folder / "elsewhere") == ["deep/"])
  }

  @Test(arguments: allWays) @LoopActor func remainsOfACrash(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "downloads/mallory/.x.0123abcd.part")
    try folder.write([1], to: "downloads/mallory/.tree.0123abcd.part/deep/file")
    try folder.write([1], to: "downloads/mallory/kept.part")
    try folder.write([1], to: "downloads/mallory/.kept")
    try folder.write([1], to: "downloads/other/.x.0123abcd.part")
    try folder.write([1], to: "downloads/stranger/.x.0123abcd.part")
    try folder.write([5], to: "precious/file")
    try FileManager.default.createSymbolicLink(
      atPath: folder / "downloads/mallory/.tree.0123abcd.part/link", withDestinationPath: folder / "precious")
    // One transfer is at work: what it has is not swept by the next.
    let first = try HostileSender(bytes: 2, folder: folder, ways: ways)
    await first.begin()
    try first.entry("x", size: 2)
    try first.chunk([1])
    #expect(await eventually { first.left.count == 3 })
    #expect(first.left.filter { !$0.hasSuffix(".part") } == [".kept"])
    let second = try HostileSender(folder: folder, ways: ways)
    await second.begin()
    try second.file("x")
    #expect(await second.cancelled() == nil)
    try first.chunk([2])
    try first.end(2)
    #expect(await first.cancelled() == nil)
    #expect(first.left == [".kept", "kept.part", "x", "x (2)"])
    DownloadFolder.sweep(downloads: folder / "downloads", of: ["mallory", "other", "nobody"])
    #expect(listing(folder / "downloads/other").isEmpty)
    // Where downloads are kept there may be other folders, which are not ours.
    #expect(listing(folder / "downloads/stranger") == [".x.0123abcd.part"])
    #expect(!FileManager.default.fileExists(atPath: folder / "downloads/nobody"))
    #expect(contents(folder / "precious/file") == [5])
  }

  /// A folder of links by the way of every component.
  @Test(arguments: allWays) @LoopActor func nothingIsReachedThroughLinks(ways: DownloadFolder.Ways)
    async throws
  {
    let folder = try TemporaryFolder()
    let depth = 6
    for level in 1...depth {
      let sender = try HostileSender(entries: UInt32(depth + 2), folder: folder, ways: ways)
      await sender.begin()
      var path = "x"
      try sender.entry(path, folder: true)
      for _ in 1...depth {
        path += "/d"
        try sender.entry(path, folder: true)
      }
      #expect(await eventually { sender.left.contains { $0.hasSuffix(String(path.dropFirst()) + "/") } })
      let partial = try #require(sender.left.first { $0.hasSuffix(".part/") })
      let place = folder / "downloads/mallory/" + partial + String(repeating: "d/", count: level)
      try FileManager.default.moveItem(atPath: place, toPath: folder / "moved\(level)")
      try FileManager.default.createSymbolicLink(
        atPath: String(place.dropLast()), withDestinationPath: folder / "moved\(level)")
      try sender.file(path + "/file")
      #expect(await sender.cancelled() == .targetFailed)
      #expect(!listing(folder / "moved\(level)").contains { $0.hasSuffix("file") })
      #expect(sender.left.isEmpty)
    }
  }
}
