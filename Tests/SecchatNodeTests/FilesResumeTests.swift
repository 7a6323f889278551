import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Seals journals as a node would.
struct Keeper: Sendable {
  private let secret: SecretIdentity
  private let sender: Account

  init() throws {
    secret = try SecretIdentity.generate(now: 1)
    sender = Account(name: try #require(UserName("alice")), registry: try LinkKeyPair.random().publicKey)
  }

  func keeping(_ id: MessageID) -> TransferKeeping {
    TransferKeeping(JournalSeal(id, from: sender, secret))
  }
}

/// Transfers that are cut short and go on.
@Suite struct FilesResumeTests {
  private static let lost = NodeError(.peerOffline, "the link ended")

  /// A source of all that there can be, and the paths of its items.
  private static func tree(_ source: TemporaryFolder) throws -> [String] {
    try source.write("tree/a/one", randomBytes(300_000))
    try source.write("tree/a/empty", [])
    try source.write("tree/b\u{202e}", randomBytes(70_000))
    try source.write("tree/b_", randomBytes(7))
    try source.write("tree/c/d/two", randomBytes(3_000_000))
    try FileManager.default.createDirectory(
      atPath: source.file("tree/z/empty"), withIntermediateDirectories: true)
    try source.write("single", randomBytes(2_500_000))
    try source.write("tiny", [1])
    let script = try source.write("script", randomBytes(10))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    return ["single", "tree", "tiny", "script"].map(source.file)
  }

  /// What is in a folder, with what the files hold.
  private static func everything(_ path: String) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: listing(path).map { ($0, hash(path + "/" + $0)) })
  }

  private static func hash(_ path: String) -> String {
    contents(path).map { BLAKE2b.hash256($0.raw).description } ?? ""
  }

  /// Loses the link when so many frames have come.
  @LoopActor private func cut(_ meeting: Meeting, after frames: Int) {
    var left = frames
    meeting.forth.tap = { [unowned meeting] _, _ in
      left -= 1
      guard left == 0 else { return }
      meeting.forth.deliver = nil
      meeting.outgoing.fail(Self.lost)
      meeting.incoming?.fail(Self.lost)
    }
  }

  private static func parts(_ names: [String]) -> [String] { names.filter { $0.hasPrefix(".") } }

  @Test(arguments: [false, true]) @LoopActor func aFileGoesOn(checksum: Bool) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(20 << 20)
    let path = try source.write("large", bytes)
    let keeper = try Keeper()
    let first = try Meeting(source: source, paths: [path], checksum: checksum, keeping: keeper.keeping)
    cut(first, after: 200)
    #expect(await first.failure() == Self.lost)
    #expect(await eventually { first.received != nil })
    #expect(first.arrived.count == 2 && Self.parts(first.arrived).count == 2)

    let second = try Meeting(
      source: source, paths: [path], checksum: checksum, after: first, keeping: keeper.keeping)
    var sent = 0
    second.forth.tap = { type, body in if type == .chunk { sent += body.count } }
    try await second.run()
    #expect(await eventually { second.received != nil })
    await second.incoming?.forget()
    #expect(second.arrived == ["large"])
    #expect(Self.hash(second.files + "/large") == BLAKE2b.hash256(bytes.raw).description)
    let resumed = try #require(second.done.first).resumedFrom
    // All but what had not reached the disk when the link ended.
    #expect(resumed > 150 * 65_024 && Int(resumed) + sent == bytes.count)
    #expect(second.finished.map(\.resumedFrom) == [resumed])
    let going = second.events.compactMap { event -> Event.Transfer? in
      if case .offer(let transfer) = event, transfer.state == "resumed" { transfer } else { nil }
    }
    #expect(going.map(\.resumedFrom) == [resumed])
    if checksum { #expect(second.done.first?.checksum == BLAKE2b.hash256(bytes.raw).description) }
  }

  /// Wherever it is cut, and however often, what comes of it in the end is the same.
  @Test(arguments: allWays) @LoopActor func cutAnywhere(ways: DownloadFolder.Ways) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try Self.tree(source)
    let keeper = try Keeper()
    let whole = try Meeting(source: source, paths: paths)
    try await whole.run()
    let frames = whole.forth.types.count
    let wanted = Self.everything(whole.files)
    for place in 1...frames {
      var last = try Meeting(source: source, paths: paths, keeping: keeper.keeping)
      last.ways = ways
      var finished: [String] = []
      for (try_, length) in [place, 1 + frames / 7, 1 + frames / 5, .max].enumerated() {
        if try_ > 0 {
          last = try Meeting(source: source, paths: paths, after: last, keeping: keeper.keeping)
          last.ways = ways
        }
        if length < .max { cut(last, after: length) }
        _ = await last.failure()
        #expect(await eventually { last.incoming == nil || last.received != nil })
        finished += last.finished.map(\.name)
        if last.outgoing.isOver, last.done.count == paths.count { break }
      }
      #expect(last.done.count == paths.count, "cut after \(place)")
      await last.incoming?.forget()
      #expect(Self.everything(last.files) == wanted, "cut after \(place)")
      #expect(finished.sorted() == ["script", "single", "tiny", "tree"], "cut after \(place)")
    }
  }

  /// What has come and was not confirmed is not sent again.
  @Test @LoopActor func completeAndUnconfirmed() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try Self.tree(source)
    let keeper = try Keeper()
    let first = try Meeting(source: source, paths: paths, keeping: keeper.keeping)
    first.back.tap = { [unowned first] type, body in
      if type == .ack, body.last == 3 { first.outgoing.fail(Self.lost) }
    }
    #expect(await first.failure() == Self.lost)
    #expect(await eventually { first.received != nil })
    let second = try Meeting(source: source, paths: paths, after: first, keeping: keeper.keeping)
    try await second.run()
    #expect(await eventually { second.received != nil })
    #expect(second.forth.types == [.offer])
    #expect(second.done.count == paths.count)
    #expect(second.finished.isEmpty)
    await second.incoming?.forget()
    let names = try FileManager.default.contentsOfDirectory(atPath: second.files)
    #expect(names.sorted() == ["script", "single", "tiny", "tree"])
  }

  enum Harm: CaseIterable {
    case sourceChanged, partChanged, partShorter, partLonger, partGone, partIsLink,
      partIsAnother
    case journalChanged, journalCut, journalGone, journalIsLink, journalOfAnother
  }

  /// Whatever happened to either side in between, what comes in the end is what is sent.
  @Test(arguments: Harm.allCases, [false, true]) @LoopActor
  func harmed(harm: Harm, isFolder: Bool) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let file = try source.write(isFolder ? "item/a" : "item", randomBytes(9 << 20))
    if isFolder {
      try source.write("item/b", randomBytes(1 << 20))
      try source.write("precious", [])
    }
    let precious = try source.write("elsewhere/precious", randomBytes(100))
    let before = contents(precious)
    let path = source.file("item")
    let keeper = try Keeper()
    let first = try Meeting(source: source, paths: [path], keeping: keeper.keeping)
    cut(first, after: 60)
    #expect(await first.failure() == Self.lost)
    #expect(await eventually { first.received != nil })
    let folder = first.files + "/"
    let journal = try #require(first.arrived.first { $0.hasSuffix("-journal.part") })
    let root = try #require(first.arrived.first { $0.contains("-0.part") }).replacing("/", with: "")
    let part = folder + root + (isFolder ? "/a" : "")
    func change(_ path: String, at offset: Int) throws {
      var bytes = try #require(contents(path))
      bytes[offset] ^= 1
      let handle = try #require(FileHandle(forUpdatingAtPath: path))
      try handle.write(contentsOf: bytes)
      try handle.close()
    }
    let time = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate]
    switch harm {
    case .sourceChanged: try change(file, at: 100)
    case .partChanged: try change(part, at: 100)
    case .partShorter: _ = unsafe truncate(part, 5_000)
    case .partLonger: _ = unsafe truncate(part, 20 << 20)
    case .partGone: try FileManager.default.removeItem(atPath: part)
    case .partIsLink:
      try FileManager.default.removeItem(atPath: part)
      try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: precious)
    case .partIsAnother:
      try FileManager.default.removeItem(atPath: part)
      try Data(randomBytes(70_000)).write(to: URL(filePath: part))
    case .journalChanged: try change(folder + journal, at: 40)
    case .journalCut: _ = unsafe truncate(folder + journal, 30)
    case .journalGone: try FileManager.default.removeItem(atPath: folder + journal)
    case .journalIsLink:
      try FileManager.default.removeItem(atPath: folder + journal)
      try FileManager.default.createSymbolicLink(
        atPath: folder + journal, withDestinationPath: source.file("elsewhere/precious"))
    case .journalOfAnother:
      try FileManager.default.removeItem(atPath: folder + journal)
      let other = try Meeting(source: source, paths: [path], keeping: keeper.keeping)
      cut(other, after: 30)
      _ = await other.failure()
      #expect(await eventually { other.received != nil })
      let theirs = try #require(other.arrived.first { $0.hasSuffix("-journal.part") })
      try FileManager.default.copyItem(atPath: other.files + "/" + theirs, toPath: folder + journal)
    }
    if harm == .sourceChanged {
      try FileManager.default.setAttributes([.modificationDate: try #require(time)], ofItemAtPath: file)
    }
    let second = try Meeting(source: source, paths: [path], after: first, keeping: keeper.keeping)
    let failed = await second.failure()
    if harm == .journalIsLink {
      #expect(failed?.status == .refused)
    } else {
      #expect(failed == nil)
      #expect(await eventually { second.received != nil })
      await second.incoming?.forget()
      #expect(Self.parts(second.arrived).isEmpty)
      #expect(
        Self.everything(second.files + (isFolder ? "/item" : ""))
          == Self.everything(isFolder ? path : second.files))
      #expect(Self.hash(second.files + (isFolder ? "/item/a" : "/item")) == Self.hash(file))
    }
    #expect(contents(precious) == before)
  }

  /// A pause from either side keeps what has come; a stop does not.
  @Test(arguments: [false, true], [false, true]) @LoopActor
  func pausesAndStops(bySender: Bool, pausing: Bool) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let path = try source.write("large", randomBytes(20 << 20))
    let keeper = try Keeper()
    let meeting = try Meeting(source: source, paths: [path], keeping: keeper.keeping)
    var chunks = 0
    meeting.forth.tap = { [unowned meeting] type, _ in
      guard type == .chunk else { return }
      chunks += 1
      guard chunks == 100 else { return }
      if bySender {
        meeting.outgoing.stop(pausing: pausing)
      } else {
        meeting.incoming?.stop(pausing: pausing)
      }
    }
    #expect(await meeting.failure()?.status == .refused)
    #expect(await eventually { meeting.received != nil })
    #expect(meeting.outgoing.wasPaused == (pausing && !bySender))
    #expect(Self.parts(meeting.arrived).isEmpty == !pausing)
    #expect(meeting.incoming?.isKept == pausing)
    let again = try Meeting(source: source, paths: [path], after: meeting, keeping: keeper.keeping)
    try await again.run()
    #expect(((again.done.first?.resumedFrom ?? 0) > 0) == pausing)
    #expect(Self.hash(again.files + "/large") == Self.hash(path))
  }
}
