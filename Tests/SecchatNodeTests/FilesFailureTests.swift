import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatNode
import TestSupport
import Testing

@Suite struct FilesFailureTests {
  // MARK: The receiver's disk

  /// A file system of its own.
  private func mounted(_ options: String, flags: UInt = 0, _ body: (String) async throws -> Void) async throws
  {
    let folder = try TemporaryFolder(inMemory: true)
    try #require(unsafe mount("tmpfs", folder.path, "tmpfs", flags, options) == 0)
    defer { unsafe umount2(folder.path, 2) }
    try await body(folder.path)
  }

  @Test(.needsRoot) @LoopActor func diskFull() async throws {
    try await mounted("size=100m") { path in
      let source = try TemporaryFolder(inMemory: true)
      let bytes = randomBytes(20 << 20)
      let meeting = try Meeting(
        source: source, paths: [try source.write("small", [1]), try source.write("large", bytes)])
      meeting.downloads = path
      // Somebody else takes the room once the offer has been accepted.
      meeting.back.tap = { type, _ in
        guard type == .accept else { return }
        try? Data(count: 88 << 20).write(to: URL(fileURLWithPath: path + "/other"))
      }
      let error = await meeting.failure()
      #expect(error?.status == .refused)
      #expect(error?.message == "the disk of bob is full")
      #expect(meeting.receiverFailure?.message.contains("disk is full") == true)
      #expect(meeting.arrived.allSatisfy { $0 == "small" })
      #expect(meeting.outgoing.isOver)
      #expect(await eventually { meeting.incoming?.isOver == true })
    }
  }

  @Test(.needsRoot) @LoopActor func noRoom() async throws {
    try await mounted("size=10m") { path in
      let source = try TemporaryFolder(inMemory: true)
      let meeting = try Meeting(source: source, paths: [try source.write("large", randomBytes(10 << 20))])
      meeting.downloads = path
      let error = await meeting.failure()
      #expect(error?.message == "bob has no room for it")
      #expect(error?.status == .refused)
      #expect(meeting.receiverFailure?.status == .refused)
      #expect(meeting.arrived.isEmpty)
    }
  }

  @Test(.needsRoot) @LoopActor func readOnlyTarget() async throws {
    try await mounted("size=1m", flags: 1) { path in
      let source = try TemporaryFolder(inMemory: true)
      let meeting = try Meeting(source: source, paths: [try source.write("file", [1])])
      meeting.downloads = path + "/downloads"
      #expect(await meeting.failure()?.message == "bob could not write the files")
      #expect(meeting.receiverFailure?.status == .usage)
    }
  }

  @Test @LoopActor func targetIsNoFolder() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let meeting = try Meeting(source: source, paths: [try source.write("file", [1])])
    meeting.downloads = source.file("file")
    #expect(await meeting.failure()?.status == .refused)
    #expect(contents(source.file("file")) == [1])
  }

  // MARK: The source

  @Test @LoopActor func sourcesThatCannotBe() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let good = try source.write("good", [1])
    let made = unsafe mkfifo(source.file("pipe"), 0o600)
    #expect(made == 0)
    try FileManager.default.createSymbolicLink(atPath: source.file("broken"), withDestinationPath: "nowhere")
    let deep = source.path + String(repeating: "/d", count: 70)
    try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
    for bad in [
      source.file("missing"), source.file("pipe"), source.file("broken"), source.file("d"), "relative", "/",
      "/\0",
    ] {
      let meeting = try Meeting(source: source, paths: [good, bad])
      #expect(await meeting.failure()?.status == .usage)
      #expect(meeting.forth.types.isEmpty)
      #expect(meeting.outgoing.isOver)
    }
  }

  @Test @LoopActor func linksThatAreNamed() async throws {
    let source = try TemporaryFolder(inMemory: true)
    try source.write("real/file", [7])
    try FileManager.default.createSymbolicLink(
      atPath: source.file("link"), withDestinationPath: source.file("real"))
    let meeting = try Meeting(source: source, paths: [source.file("link"), source.file("real/../link/file")])
    try await meeting.run()
    #expect(meeting.arrived == ["file", "link/", "link/file"])
  }

  enum Change: CaseIterable { case grows, shrinks, touched, vanishes, becomesLink, newFile }

  @Test(arguments: Change.allCases) @LoopActor func sourceChanges(change: Change) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let path = try source.write("tree/a", randomBytes(12 << 20))
    let later = try source.write("tree/b", [1])
    let meeting = try Meeting(source: source, paths: [source.file("tree")])
    var chunks = 0
    meeting.forth.tap = { type, _ in
      guard type == .chunk else { return }
      chunks += 1
      guard chunks == 4 else { return }
      switch change {
      case .grows:
        let handle = FileHandle(forWritingAtPath: path)
        _ = try? handle?.seekToEnd()
        try? handle?.write(contentsOf: [1])
      case .shrinks: _ = unsafe truncate(path, 11 << 20)
      case .touched: try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
      case .vanishes: try? FileManager.default.removeItem(atPath: later)
      case .becomesLink:
        try? FileManager.default.removeItem(atPath: later)
        try? FileManager.default.createSymbolicLink(atPath: later, withDestinationPath: "/etc/passwd")
      case .newFile:
        // Its folder was read already, or is not: either way no more than the offer is sent.
        try? Data([1]).write(to: URL(fileURLWithPath: later))
        _ = unsafe truncate(later, 2)
      }
    }
    let error = await meeting.failure()
    #expect(error?.status == .usage)
    #expect(await eventually { meeting.received != nil })
    #expect(meeting.receiverFailure?.status == .refused)
    #expect(meeting.arrived.isEmpty)
    #expect(meeting.outgoing.isOver)
    #expect(meeting.incoming?.isOver == true)
  }

  // MARK: Ends

  @Test(arguments: Refuse.Reason.allCases) @LoopActor func refused(reason: Refuse.Reason) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let meeting = try Meeting(source: source, paths: [try source.write("file", [1])])
    meeting.refusal = reason
    #expect(await meeting.failure()?.status == .refused)
    #expect(meeting.outgoing.isOver)
    #expect(meeting.forth.types == [.offer])
  }

  enum Ending: CaseIterable { case senderStops, receiverStops, senderLosesLink, receiverLosesLink }

  @Test(arguments: Ending.allCases) @LoopActor func ends(ending: Ending) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = [try source.write("first", [1]), try source.write("second", randomBytes(20 << 20))]
    let meeting = try Meeting(source: source, paths: paths)
    let lost = NodeError(.peerOffline, "the link ended")
    var chunks = 0
    meeting.forth.tap = { type, _ in
      guard type == .chunk else { return }
      chunks += 1
      guard chunks == 100 else { return }
      switch ending {
      case .senderStops: meeting.outgoing.stop()
      case .receiverStops: meeting.incoming?.stop()
      case .senderLosesLink, .receiverLosesLink:
        meeting.outgoing.fail(lost)
        meeting.incoming?.fail(lost)
      }
    }
    let error = await meeting.failure()
    #expect(await eventually { meeting.received != nil })
    #expect(meeting.receiverFailure != nil)
    switch ending {
    case .senderStops: #expect(error?.message == "the transfer was stopped")
    case .receiverStops: #expect(error?.message == "bob stopped the transfer")
    case .senderLosesLink, .receiverLosesLink: #expect(error == lost)
    }
    // What was complete stays; of the other nothing does.
    #expect(meeting.arrived.allSatisfy { $0 == "first" })
    #expect(await eventually { meeting.outgoing.isOver && meeting.incoming?.isOver == true })
  }

  @Test @LoopActor func aReceiverThatLies() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let meeting = try Meeting(source: source, paths: [try source.write("file", randomBytes(9 << 20))])
    meeting.forth.tap = { type, _ in
      if type == .entry { meeting.outgoing.handle(.ack(Ack(id: meeting.outgoing.id, part: 0))) }
    }
    #expect(await meeting.failure()?.status == .integrity)
    #expect(meeting.done.isEmpty)
  }

  /// A confirmation that comes before the ACCEPT is for an earlier stream of the same transfer.
  @Test @LoopActor func lateConfirmations() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try ["a", "b"].map { try source.write($0, randomBytes(1_000)) }
    let meeting = try Meeting(source: source, paths: paths)
    meeting.forth.tap = { type, _ in
      guard type == .offer else { return }
      for part: UInt32 in 0...1 { meeting.outgoing.handle(.ack(Ack(id: meeting.outgoing.id, part: part))) }
    }
    try await meeting.run()
    #expect(meeting.done.count == 2)
    #expect(meeting.arrived == ["a", "b"])
  }

  @Test @LoopActor func stoppedBeforeTheOffer() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let meeting = try Meeting(source: source, paths: [try source.write("file", [1])])
    meeting.outgoing.stop()
    #expect(await meeting.failure()?.message == "the transfer was stopped")
    #expect(meeting.forth.types.isEmpty)
  }
}
