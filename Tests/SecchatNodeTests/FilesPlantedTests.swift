import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// What others put into the download folder, before and meanwhile.
@Suite struct FilesPlantedTests {
  @Test(arguments: allWays) @LoopActor func linkForTheSendersFolder(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder(inMemory: true)
    for name in ["downloads", "elsewhere"] {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("downloads/mallory"), withDestinationPath: folder.file("elsewhere"))
    let sender = try HostileSender(folder: folder, ways: ways)
    await sender.begin()
    #expect(await sender.cancelled() == .targetFailed)
    #expect(sender.failure?.status == .usage)
    #expect(listing(folder.file("elsewhere")).isEmpty)
  }

  @Test(arguments: allWays) @LoopActor func linkForAFile(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder(inMemory: true)
    try folder.write("precious", [1, 2, 3])
    try folder.write("downloads/mallory/other", [])
    for name in ["x", "x (2)"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.file("downloads/mallory/") + name, withDestinationPath: folder.file("precious"))
    }
    let sender = try HostileSender(bytes: 1, folder: folder, ways: ways)
    await sender.begin()
    try sender.file("x", [9])
    #expect(await sender.cancelled() == nil)
    #expect(contents(folder.file("precious")) == [1, 2, 3])
    #expect(contents(folder.file("downloads/mallory/x (3)")) == [9])
  }

  /// A folder of the tree that is coming is swapped for a link, or the tree's own.
  @Test(arguments: allWays, [false, true])
  @LoopActor func swappedForALink(ways: DownloadFolder.Ways, atTheTop: Bool) async throws {
    let folder = try TemporaryFolder(inMemory: true)
    try FileManager.default.createDirectory(
      atPath: folder.file("elsewhere/deep"), withIntermediateDirectories: true)
    let sender = try HostileSender(entries: 5, bytes: 2, folder: folder, ways: ways)
    await sender.begin()
    try sender.entry("x", folder: true)
    try sender.entry("x/deep", folder: true)
    try sender.file("x/deep/first", [1])
    #expect(await eventually { sender.left.contains { $0.hasSuffix("/deep/first") } })
    let partial = try #require(sender.left.first { $0.hasSuffix(".part/") })
    let swapped = folder.file("downloads/mallory/") + partial + (atTheTop ? "" : "deep")
    let name = atTheTop ? String(swapped.dropLast()) : swapped
    try FileManager.default.moveItem(atPath: name, toPath: folder.file("moved"))
    try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: folder.file("elsewhere"))
    try sender.file("x/deep/second", [2])
    try sender.entry("x/deep/third", folder: true)
    #expect(await sender.cancelled() == .targetFailed)
    #expect(sender.left.isEmpty)
    #expect(listing(folder.file("elsewhere")) == ["deep/"])
  }

  @Test(arguments: allWays) @LoopActor func remainsOfACrash(ways: DownloadFolder.Ways) async throws {
    let folder = try TemporaryFolder(inMemory: true)
    try folder.write("downloads/mallory/.x.0123abcd.part", [1])
    try folder.write("downloads/mallory/.tree.0123abcd.part/deep/file", [1])
    try folder.write("downloads/mallory/kept.part", [1])
    try folder.write("downloads/mallory/.kept", [1])
    try folder.write("downloads/other/.x.0123abcd.part", [1])
    try folder.write("downloads/stranger/.x.0123abcd.part", [1])
    try folder.write("precious/file", [5])
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("downloads/mallory/.tree.0123abcd.part/link"),
      withDestinationPath: folder.file("precious"))
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
    DownloadFolder.sweep(downloads: folder.file("downloads"), of: ["mallory", "other", "nobody"])
    #expect(listing(folder.file("downloads/other")).isEmpty)
    // Where downloads are kept there may be other folders, which are not ours.
    #expect(listing(folder.file("downloads/stranger")) == [".x.0123abcd.part"])
    #expect(!FileManager.default.fileExists(atPath: folder.file("downloads/nobody")))
    #expect(contents(folder.file("precious/file")) == [5])
  }

  /// A folder of links by the way of every component.
  @Test(arguments: allWays) @LoopActor func nothingIsReachedThroughLinks(ways: DownloadFolder.Ways)
    async throws
  {
    let folder = try TemporaryFolder(inMemory: true)
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
      let place = folder.file("downloads/mallory/") + partial + String(repeating: "d/", count: level)
      try FileManager.default.moveItem(atPath: place, toPath: folder.file("moved\(level)"))
      try FileManager.default.createSymbolicLink(
        atPath: String(place.dropLast()), withDestinationPath: folder.file("moved\(level)"))
      try sender.file(path + "/file")
      #expect(await sender.cancelled() == .targetFailed)
      #expect(!listing(folder.file("moved\(level)")).contains { $0.hasSuffix("file") })
      #expect(sender.left.isEmpty)
    }
  }
}
