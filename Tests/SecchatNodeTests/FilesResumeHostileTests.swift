import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What a peer may try with transfers that go on.
@Suite struct FilesResumeHostileTests {
  private static let lost = NodeError(.peerOffline, "the link ended")

  /// A sender that has sent an entry of four bytes and two of them, and comes again.
  @LoopActor private struct Comeback {
    let keeper: Keeper
    let folder: TemporaryFolder
    let id: MessageID
    let sender: HostileSender

    /// - Parameter entries: what the offer has.
    init(bytes: UInt64 = 4, entries: UInt32 = 1, comingBack: Bool = true) async throws {
      keeper = try Keeper()
      folder = try TemporaryFolder(inMemory: true)
      id = Random.bytes()
      let first = try HostileSender(
        entries: entries, bytes: 4, folder: folder, keeping: keeper.keeping(id), id: id)
      await first.begin()
      try first.entry("x", size: 4)
      try first.chunk([1, 2])
      first.receiver.fail(FilesResumeHostileTests.lost)
      #expect(await eventually { first.hasEnded })
      sender = try HostileSender(
        entries: entries, bytes: bytes, folder: folder, keeping: keeper.keeping(id), id: id)
      await sender.begin()
    }

    var held: Held? {
      for case .accept(let accept) in sender.answers { return accept.held }
      return nil
    }

    func resume(_ isVerified: Bool = true) throws(WireError) {
      try sender.receiver.handle(.resume(Resume(stream: 7, isVerified: isVerified)))
    }

    /// What is there under a name, and how many parts are.
    var left: (names: [String], parts: Int) {
      let names = sender.left
      return (names.filter { !$0.hasPrefix(".") }, names.count { $0.hasPrefix(".") })
    }
  }

  @Test @LoopActor func whatIsHeldIsTold() async throws {
    let it = try await Comeback()
    let held = try #require(it.held)
    var digest = HeldDigest()
    digest.begin(
      Entry(stream: 7, item: 0, kind: .file, executable: false, modified: 1, size: 4, path: "x"))
    digest.update([1, 2].raw)
    let wanted = digest.digest()
    #expect(held == Held(item: 0, entries: 1, offset: 2, digest: wanted))
    try it.resume()
    try it.sender.chunk([3, 4])
    try it.sender.end(4)
    #expect(await it.sender.cancelled() == nil)
    #expect(contents(it.folder.file("downloads/mallory/x")) == [1, 2, 3, 4])
    #expect(it.sender.files.map(\.resumedFrom) == [2])
  }

  enum Trick: CaseIterable {
    case entryFirst, chunkFirst, endFirst, twice, tooMuch, tooLittle, anotherSize, anotherDigest, entryAgain
    case anewAndThenMore, anewWithAnotherName, undue
  }

  @Test(arguments: Trick.allCases) @LoopActor func tricks(trick: Trick) async throws {
    let it = try await Comeback()
    #expect(it.held != nil)
    var reason = Cancel.Reason.malformed
    switch trick {
    case .entryFirst: try it.sender.entry("x", size: 4)
    case .chunkFirst: try it.sender.chunk([3])
    case .endFirst: try it.sender.end(4)
    case .twice:
      try it.resume()
      try it.resume()
    case .tooMuch:
      try it.resume()
      try it.sender.chunk([3, 4, 5])
    case .tooLittle:
      try it.resume()
      try it.sender.chunk([3])
      try it.sender.end(4)
      reason = .integrity
    case .anotherSize:
      try it.resume()
      try it.sender.chunk([3, 4])
      try it.sender.end(3)
      reason = .integrity
    case .anotherDigest:
      try it.resume()
      try it.sender.chunk([3, 4])
      try it.sender.end(4, digest: BLAKE2b.hash256([9, 9, 3, 4].raw))
      reason = .integrity
    case .entryAgain:
      try it.resume()
      try it.sender.entry("x", size: 4)
    case .anewAndThenMore:
      try it.resume(false)
      try it.sender.chunk([3, 4])
    case .anewWithAnotherName:
      try it.resume(false)
      try it.sender.entry("y", size: 4)
    case .undue:
      let fresh = try HostileSender(bytes: 4, keeping: it.keeper.keeping(Random.bytes()))
      await fresh.begin()
      try fresh.receiver.handle(.resume(Resume(stream: 7, isVerified: true)))
      #expect(await fresh.cancelled() == .malformed)
      try it.resume(false)
      try it.sender.chunk([1])
    }
    #expect(await it.sender.cancelled() == reason)
    #expect(it.sender.files.isEmpty)
    #expect(it.left.names.isEmpty && it.left.parts == 0)
  }

  /// An offer that is not the one that the parts are of cannot have them.
  @Test(arguments: [1, 3]) @LoopActor func anotherOffer(bytes: UInt64) async throws {
    let it = try await Comeback(bytes: bytes)
    #expect(it.held == nil)
    #expect(await it.sender.cancelled() == .targetFailed)
    #expect(it.left.names.isEmpty && it.left.parts == 0)
  }

  enum Claim: CaseIterable {
    case itemBeyond, entriesOfNone, tooManyEntries, beyondTheFile, anotherDigest, nothingOfTheNext, allOfIt
  }

  /// A receiver that lies about what it has gets the file from the beginning, or nothing.
  @Test(arguments: Claim.allCases) @LoopActor func claims(claim: Claim) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(300_000)
    let path = try source.write("file", bytes)
    let meeting = try Meeting(source: source, paths: [path])
    let wrong: FixedBytes<32> = Random.bytes()
    let held =
      switch claim {
      case .itemBeyond: Held(item: 2, entries: 0, offset: 0, digest: wrong)
      case .entriesOfNone: Held(item: 1, entries: 1, offset: 0, digest: wrong)
      case .tooManyEntries: Held(item: 0, entries: 1_000_000, offset: 0, digest: wrong)
      case .beyondTheFile: Held(item: 0, entries: 1, offset: .max, digest: wrong)
      case .anotherDigest: Held(item: 0, entries: 1, offset: 100_000, digest: wrong)
      case .nothingOfTheNext: Held(item: 0, entries: 1, offset: 0, digest: wrong)
      case .allOfIt: Held(item: 1, entries: 0, offset: 0, digest: wrong)
      }
    var resumes: [Bool] = []
    meeting.back.tap = { type, body in
      guard type == .accept else { return }
      body = Array(Accept(stream: 1, held: held).encoded.dropFirst())
    }
    // The receiver of this test has nothing: it is not to hear of it.
    let deliver = meeting.forth.deliver
    meeting.forth.deliver = { (type, body) throws(WireError) in
      guard type == .resume else { return try await deliver?(type, body) ?? () }
      resumes.append(body.last == 1)
    }
    if claim == .allOfIt {
      Loop.spawn {
        _ = await eventually { !meeting.done.isEmpty }
        meeting.incoming?.fail(Self.lost)
      }
    }
    let failed = await meeting.failure()
    switch claim {
    case .itemBeyond, .entriesOfNone:
      #expect(failed?.status == .integrity)
      #expect(resumes.isEmpty)
    case .allOfIt:
      // It says that it has all: what becomes of its copy is its own affair.
      #expect(failed == nil && !meeting.forth.types.contains(.chunk))
    default:
      #expect(failed == nil)
      #expect(resumes == [false])
      #expect(contents(meeting.files + "/file") == bytes)
      #expect(meeting.done.map(\.resumedFrom) == [0])
    }
  }

  /// A file that has grown since the offer, and a receiver that has guessed what to.
  @Test @LoopActor func aSourceThatHasGrown() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try ["a", "b"].map { try source.write($0, [1, 2]) }
    let meeting = try Meeting(source: source, paths: paths)
    let grown = randomBytes(100_000)
    // The receiver of this test has nothing: it is not to hear of what follows.
    let deliver = meeting.forth.deliver
    meeting.forth.deliver = { (type, body) throws(WireError) in
      if type == .offer || type == .cancel { try await deliver?(type, body) }
    }
    meeting.back.tap = { type, body in
      guard type == .accept else { return }
      do {
        try source.write("a", grown)
        let attributes = try FileManager.default.attributesOfItem(atPath: paths[0])
        let time = try #require(attributes[.modificationDate] as? Date)
        var digest = HeldDigest()
        digest.begin(
          Entry(
            stream: 1, item: 0, kind: .file, executable: false,
            modified: UInt64(time.timeIntervalSince1970), size: 100_000, path: "a"))
        digest.update(grown.raw)
        let held = Held(item: 0, entries: 1, offset: 100_000, digest: digest.digest())
        body = Array(Accept(stream: 1, held: held).encoded.dropFirst())
      } catch { Issue.record(error) }
    }
    let failed = await meeting.failure()
    #expect(failed?.status == .usage && failed?.message.contains("changed") == true)
    #expect(!meeting.forth.types.contains(.resume))
  }

  /// Two names that differ in how an accent is written are two names: the one that did not come goes.
  @Test @LoopActor func aNameThatLooksLikeAnother() async throws {
    let (composed, apart) = ("\u{e9}", "e\u{301}")
    let (id, keeper) = (Random.bytes() as MessageID, try Keeper())
    let folder = try TemporaryFolder(inMemory: true)
    @LoopActor func sender() throws -> HostileSender {
      try HostileSender(entries: 3, bytes: 4, folder: folder, keeping: keeper.keeping(id), id: id)
    }
    let first = try sender()
    await first.begin()
    try first.entry("x", folder: true)
    try first.entry("x/" + composed, size: 4)
    try first.chunk([1, 2])
    first.receiver.fail(Self.lost)
    #expect(await eventually { first.hasEnded })
    let part = "downloads/mallory/.secchat-\(id)-0.part"
    try folder.write(part + "/" + apart, [7])
    let second = try sender()
    await second.begin()
    #expect(try folder.names().count == 1)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.file(part))
    #expect(left.map { Array($0.utf8) } == [Array(composed.utf8)])
    second.receiver.fail(Self.lost)
    #expect(await eventually { second.hasEnded })
  }

  /// What is noted of a transfer is bounded: beyond that it ends, and nothing of it is left.
  @Test @LoopActor func namesWithoutEnd() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let (id, keeper) = (Random.bytes() as MessageID, try Keeper())
    let writer = ItemWriter(try DownloadFolder(downloads: folder.path, sender: "mallory"))
    let seal = keeper.keeping(id).seal
    writer.keep(try TransferJournal(seal, in: writer.folder, limit: 100_000) { _ in }, of: id)
    func perform(_ path: String) throws -> TransferFailure? {
      let entry = Entry(
        stream: 1, item: 0, kind: .folder, executable: false, modified: 1, size: 0, path: path)
      let path = try FilePath(path)
      return writer.perform([path.components.count == 1 ? .begin(entry, path) : .inside(entry, path)]).failure
    }
    var failed = try perform("x")
    let long = String(repeating: "n", count: 240)
    var count = 0
    while failed == nil, count < 1_000 {
      count += 1
      failed = try perform("x/\(long)\(count)")
    }
    #expect((150...200).contains(count))
    #expect(failed?.reason == .targetFailed && failed?.error.message.contains("names") == true)
    // Nor does the next start read more than that, should the end not have been noticed.
    writer.suspend()
    var notes = 0
    _ = try TransferJournal(seal, in: writer.folder, limit: 10_000) { _ in notes += 1 }
    #expect((15...25).contains(notes))
    writer.discard()
  }

  // MARK: At a node

  @LoopActor private func answer(on link: SealedLink) async throws -> PeerMessage {
    link.deadline = .now + 60_000
    while true {
      let message = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      switch message {
      case .refuse, .accept: return message
      default: continue
      }
    }
  }

  /// A resumed id with another offer, the id of somebody else, one that is being received, and one that was cancelled.
  @Test @LoopActor func idsAtANode() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    try await alice.node.save { $0.files = .always }
    let mallory = try Stranger("mallory", at: registry)
    let carol = try Stranger("carol", at: registry)
    let id: MessageID = Random.bytes()
    func offer(_ stream: UInt32, name: String = "x", bytes: UInt64 = 4) -> Offer {
      Offer(stream: stream, id: id, items: 1, entries: 1, bytes: bytes, name: name)
    }
    let first = try await mallory.dial(alice)
    first.send(offer(1))
    first.flush()
    #expect(try await answer(on: first) == .accept(Accept(stream: 1)))
    var frame = [UInt8](repeating: 7, count: 2 + ChunkHeader.frameOverhead)
    first.send(
      Entry(stream: 1, item: 0, kind: .file, executable: false, modified: 1, size: 4, path: "x"))
    frame.withMutableRaw { first.sendChunk(ChunkHeader(stream: 1), in: &$0) }
    first.flush()
    let part = alice.node.downloads + "/mallory/.secchat-\(id)-0.part"
    #expect(await eventually { contents(part)?.count == 2 })

    // Over a second link, while the first one stands: the sender has come anew, and nobody else.
    let second = try await mallory.dial(alice)
    for other in [offer(1, name: "y"), offer(3, bytes: 5)] {
      second.send(other)
      second.flush()
      #expect(try await answer(on: second) == .refuse(Refuse(id: id, reason: .declined)))
    }
    let third = try await carol.dial(alice)
    third.send(offer(1))
    third.flush()
    #expect(try await answer(on: third) == .accept(Accept(stream: 1)))
    second.send(offer(5))
    second.flush()
    guard case .accept(let accept) = try await answer(on: second) else {
      Issue.record("not accepted")
      return
    }
    #expect(accept.held?.offset == 2 && accept.held?.entries == 1 && accept.stream == 5)

    // Cancelled by its user: not even the same offer is taken again.
    let mine = try #require(
      await alice.ask(.transfers).events.compactMap {
        if case .transfer(let state) = $0, state.user == "mallory" { state } else { nil }
      }.first)
    #expect(mine.state == "active" && mine.direction == "in" && mine.bytes == 2)
    // Ids are their senders' to choose: there are two of this one.
    #expect(await alice.ask(.transfer(id: mine.id, action: .cancel)).status == .usage)
    third.abort()
    #expect(await eventually { alice.node.transfers.receiving.count == 1 })
    let theirs = TransferRecord.Key(id: id, peer: carol.account, isIncoming: true)
    try await alice.node.transfers.remove(theirs)
    #expect(await alice.ask(.transfer(id: mine.id, action: .cancel)).status == .done)
    #expect(await eventually { contents(part) == nil })
    second.send(offer(7))
    second.flush()
    #expect(try await answer(on: second) == .refuse(Refuse(id: id, reason: .declined)))
    for link in [first, second] { link.abort() }
    await alice.node.close()
    registry.stop()
  }

  /// Alice, who takes files, and mallory, who has sent two bytes of four over a link that stands.
  @LoopActor private final class Begun {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let mallory: Stranger
    let link: SealedLink
    let id: MessageID = Random.bytes()

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      try await alice.node.save { $0.files = .always }
      mallory = try Stranger("mallory", at: registry)
      link = try await mallory.dial(alice)
      link.send(offer)
      var frame = [UInt8](repeating: 7, count: 2 + ChunkHeader.frameOverhead)
      let link = link
      link.flush()
      link.deadline = .now + 60_000
      while try await link.receive({ (type, _) throws(WireError) in type }) != .accept {}
      link.send(
        Entry(stream: 1, item: 0, kind: .file, executable: false, modified: 1, size: 4, path: "x"))
      frame.withMutableRaw { link.sendChunk(ChunkHeader(stream: 1), in: &$0) }
      link.flush()
      #expect(await eventually { contents(self.part)?.count == 2 })
    }

    var offer: Offer { Offer(stream: 1, id: id, items: 1, entries: 1, bytes: 4, name: "x") }
    var parts: [String] { listing(alice.node.downloads + "/mallory") }
    private var part: String { alice.node.downloads + "/mallory/.secchat-\(id)-0.part" }

    func close() async {
      link.abort()
      await alice.node.close()
      registry.stop()
    }
  }

  /// What its sender takes back goes at once, also where the link that it came over seems to stand yet.
  @Test @LoopActor func takenBackOverAnotherLink() async throws {
    let scene = try await Begun()
    let transfers = scene.alice.node.transfers
    let other = try await scene.mallory.dial(scene.alice)
    other.send(scene.offer)
    other.send(Cancel(stream: 1, reason: .stopped))
    other.flush()
    #expect(await eventually { transfers.all.isEmpty && transfers.receiving.isEmpty })
    #expect(await eventually { scene.parts.isEmpty })
    other.abort()
    await scene.close()
  }

  /// What the user does not want stops, also where that cannot be noted.
  @Test(arguments: [TransferAction.cancel, .pause]) @LoopActor
  func stoppedOnAFullDisk(action: TransferAction) async throws {
    let scene = try await Begun()
    let node = scene.alice.node
    try await node.store.fillTransfers()
    #expect(await scene.alice.ask(.transfer(id: "\(scene.id)", action: action)).status != .done)
    #expect(node.transfers.receiving.isEmpty)
    while try await scene.link.receive({ (type, _) throws(WireError) in type }) != .cancel {}
    #expect(node.transfers.all.map(\.state) == (action == .cancel ? [] : [.waiting]))
    #expect(scene.parts.isEmpty == (action == .cancel))
    await scene.close()
  }

  /// Any number may be at work, over several links: when these end, so many are kept as of those that came one by one.
  @Test @LoopActor func unfinishedAtOnceAreBounded() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    try await alice.node.save { $0.files = .always }
    let mallory = try Stranger("mallory", at: registry)
    var links: [SealedLink] = []
    for _ in 0..<3 {
      let link = try await mallory.dial(alice)
      for number: UInt32 in 0..<8 {
        link.send(
          Offer(stream: 2 * number + 1, id: Random.bytes(), items: 1, entries: 1, bytes: 4, name: "x"))
        link.flush()
        _ = try await answer(on: link)
      }
      links.append(link)
    }
    #expect(alice.node.transfers.receiving.count == 24)
    for link in links { link.abort() }
    #expect(await eventually { alice.node.transfers.receiving.isEmpty && alice.node.sessions.isEmpty })
    #expect(await eventually { alice.node.transfers.all.count == Transfers.unfinishedOfOne })
    let folder = alice.node.downloads + "/mallory"
    #expect(await eventually { listing(folder).count == Transfers.unfinishedOfOne })
    await alice.node.close()
    registry.stop()
  }

  /// Of one sender so many unfinished transfers are kept, the newest.
  @Test @LoopActor func unfinishedOnesAreBounded() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    try await alice.node.save { $0.files = .always }
    let mallory = try Stranger("mallory", at: registry)
    for number in 0..<Transfers.unfinishedOfOne + 4 {
      let link = try await mallory.dial(alice)
      link.send(
        Offer(stream: 1, id: Random.bytes(), items: 1, entries: 1, bytes: 4, name: "x\(number)"))
      link.flush()
      _ = try await answer(on: link)
      link.abort()
      #expect(await eventually { alice.node.transfers.receiving.isEmpty && alice.node.sessions.isEmpty })
    }
    let names = alice.node.transfers.all.map(\.name)
    #expect(names == (4..<Transfers.unfinishedOfOne + 4).map { "x\($0)" })
    // The journals of the others go with the next transfer.
    #expect(listing(alice.node.downloads + "/mallory").count <= Transfers.unfinishedOfOne + 1)
    await alice.node.close()
    registry.stop()
  }
}
