import Foundation
import SecchatCore
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// What is promised to one sender is promised to no other.
@Suite struct FilesRoomTests {
  private static let megabyte: UInt64 = 1 << 20

  /// A disk of 10 MiB, half a MiB of which is kept free.
  @LoopActor private func smallDisk(_ body: (TemporaryFolder, PromisedRoom) async throws -> Void) async throws
  {
    let folder = try TemporaryFolder(inMemory: true)
    try #require(unsafe mount("tmpfs", folder.path, "tmpfs", 0, "size=10m") == 0)
    defer { unsafe umount2(folder.path, 2) }
    try await body(folder, PromisedRoom())
  }

  private func isRefused(_ sender: HostileSender) async -> Bool {
    await sender.answers == [.refuse(Refuse(id: sender.offer.id, reason: .noRoom))]
  }

  @Test(.needsRoot) @LoopActor func promisedToOneSender() async throws {
    try await smallDisk { folder, room in
      @LoopActor func offers(_ megabytes: UInt64) throws -> HostileSender {
        try HostileSender(bytes: megabytes * Self.megabyte, folder: folder, room: room)
      }
      let first = try offers(6)
      await first.begin()
      let second = try offers(6)
      await second.begin()
      #expect(await second.cancelled() == nil)
      #expect(await isRefused(second))
      #expect(second.receiver.isOver)
      // What does fit beside the first.
      let third = try offers(2)
      await third.begin()
      #expect(!third.hasEnded)

      // What is written counts once: as taken, and as promised no more.
      try first.entry("x", size: 6 * Self.megabyte)
      for _ in 1...5 * 32 { try first.chunk([UInt8](repeating: 7, count: 1 << 15)) }
      #expect(await eventually { first.receiver.queuedBytes == 0 })
      let fourth = try offers(1)
      await fourth.begin()
      #expect(!fourth.hasEnded)
      let fifth = try offers(2)
      await fifth.begin()
      #expect(await fifth.cancelled() == nil)
      #expect(await isRefused(fifth))

      // What ends gives back what it has not taken.
      third.receiver.fail(NodeError(.peerOffline, "gone"))
      #expect(await third.cancelled() == nil)
      let sixth = try offers(2)
      await sixth.begin()
      #expect(!sixth.hasEnded)
      for _ in 1...32 { try first.chunk([UInt8](repeating: 7, count: 1 << 15)) }
      try first.end(6 * Self.megabyte)
      #expect(await first.cancelled() == nil)
      #expect(first.failure == nil)
    }
  }

  @Test(.needsRoot) @LoopActor func offersAtTheSameTime() async throws {
    try await smallDisk { folder, room in
      let senders = try (0..<8).map { _ in
        try HostileSender(bytes: 6 * Self.megabyte, folder: folder, room: room)
      }
      let begun = senders.map { sender in Task { @LoopActor in await sender.begin() } }
      for task in begun { await task.value }
      #expect(senders.count { !$0.hasEnded } == 1)
    }
  }
}
