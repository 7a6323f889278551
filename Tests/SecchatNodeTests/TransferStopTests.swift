import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What the user says of a transfer holds at whatever step of a try it is said.
@Suite struct TransferStopTests {
  /// Alice, and bob, who is registered where nobody listens.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    private let folder: TemporaryFolder
    private let file: String

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      registry.enrol(
        try Stranger("bob", at: registry).list, at: NetworkAddress(bytes: [127, 0, 0, 1], port: 1))
      folder = try TemporaryFolder()
      file = try folder.write("file", "text")
    }

    func change(_ text: String) throws { _ = try folder.write("file", text) }

    func send() async {
      await alice.ask(.send(user: "bob", paths: [file], limitRate: nil, checksum: false))
    }

    func close() async {
      await alice.node.close()
      registry.stop()
    }
  }

  /// Lets the loop turn until something that lasts for a few turns begins.
  @LoopActor private func yield(until condition: () -> Bool) async {
    var turns = 0
    while turns < 100_000, !condition() {
      turns += 1
      await Task.yield()
    }
  }

  @Test @LoopActor func twiceAtOnceItIsOne() async throws {
    let scene = try await Scene()
    async let first: Void = scene.send()
    async let second: Void = scene.send()
    _ = await (first, second)
    #expect(scene.alice.node.transfers.all.count == 1)
    await scene.close()
  }

  /// Who cannot have it noted is told so, and the transfer stays what it was.
  @Test(arguments: [false, true], [TransferAction.cancel, .pause]) @LoopActor
  func onAFullDisk(isAtWork: Bool, action: TransferAction) async throws {
    let scene = try await Scene()
    let alice = scene.alice
    await scene.send()
    let before = try #require(alice.node.transfers.all.first)
    try await alice.node.store.fillTransfers()
    let again = isAtWork ? Task { await scene.send() } : nil
    if isAtWork { await yield { !alice.node.transfers.sending.isEmpty } }
    let (status, events) = await alice.ask(.transfer(id: "\(before.id)", action: action))
    #expect(status != .done && !events.isEmpty)
    await again?.value
    #expect(alice.node.transfers.all == [before])
    await scene.close()
  }

  /// A source that changes again and again while the peer is away is one transfer, sent by hand or gone on with.
  @Test(arguments: [false, true]) @LoopActor func changedWhileAway(isBegun: Bool) async throws {
    let scene = try await Scene()
    let node = scene.alice.node
    await scene.send()
    var record = try #require(node.transfers.all.first)
    record.source?.isBegun = isBegun
    try await node.transfers.save(record)
    for round in 1...3 {
      try scene.change("once more " + String(repeating: "x", count: round))
      await scene.send()
      try scene.change("and again " + String(repeating: "y", count: 10 * round))
      node.goOn(with: record.peer.name)
      #expect(!node.transfers.sending.isEmpty)
      #expect(await eventually { node.transfers.sending.isEmpty })
      #expect(node.transfers.all.map(\.id) == [record.id], "round \(round)")
    }
    // What nobody was offered is what it is now; what was offered stays until the receiver can be told.
    #expect(node.transfers.all.map(\.bytes) == [isBegun ? 4 : 40])
    let rows = try await node.store.transfers()
    #expect(rows.values.map(\.id) == [record.id])
    await scene.close()
  }

  /// Alice has offered a file to bob, who is online, before the file changed.
  @LoopActor private final class Changed {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let bob: NodeAtWork
    let record: TransferRecord
    private let folder: TemporaryFolder
    private let file: String

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      bob = try await NodeAtWork("bob", at: registry)
      try await bob.node.save { $0.files = .always }
      folder = try TemporaryFolder(inMemory: true)
      file = try folder.write("file", "text")
      // Paused: else it may go on by itself, when the registry's word comes that bob is there, before a test sends it.
      var record = TransferRecord(
        key: .init(id: Random.bytes(), peer: try alice.account("bob"), isIncoming: false), changed: 0,
        name: "file", items: 1, entries: 1, bytes: 9,
        source: .init(paths: [file], checksum: false, survey: Random.bytes(), isBegun: true))
      record.state = .paused
      try await alice.node.transfers.save(record)
      self.record = record
    }

    @discardableResult
    func send() async -> SecchatNode.ExitStatus {
      await alice.ask(.send(user: "bob", paths: [file], limitRate: nil, checksum: false)).status
    }

    var arrived: [String] { listing(bob.node.downloads + "/alice") }

    func close() async {
      for side in [alice, bob] { await side.node.close() }
      registry.stop()
    }
  }

  @Test @LoopActor func changedAndSentTwiceAtOnce() async throws {
    let scene = try await Changed()
    async let first = scene.send()
    async let second = scene.send()
    #expect(await [first, second] == [.done, .done])
    #expect(await eventually { scene.arrived == ["file"] })
    #expect(scene.alice.node.transfers.all.isEmpty)
    #expect(try await scene.alice.node.store.transfers().isEmpty)
    await scene.close()
  }

  /// While the peer is dialled the old transfer is the one that the user sees: what is said of it holds.
  @Test(arguments: [TransferAction.cancel, .pause]) @LoopActor
  func changedAndStoppedWhileDialled(action: TransferAction) async throws {
    let scene = try await Changed()
    let (node, record) = (scene.alice.node, scene.record)
    // The registry says where bob is when the user has spoken.
    let (isDialled, mayGoOn) = (OneShot<Void>(), OneShot<Void>())
    scene.registry.beforeAnswer = { request in
      guard case .lookup = request else { return }
      isDialled.fulfil(())
      _ = try? await mayGoOn.wait()
    }
    let sending = Task { await scene.send() }
    try await isDialled.wait(deadline: .now + 60_000)
    scene.registry.beforeAnswer = nil
    #expect(node.transfers.all.map(\.id) == [record.id])
    let stopping = Task { await scene.alice.ask(.transfer(id: "\(record.id)", action: action)).status }
    #expect(await eventually { node.transfers.sending[record.id]?.wish == action })
    mayGoOn.fulfil(())
    #expect(await stopping.value == .done)
    #expect(await sending.value == (action == .cancel ? .refused : .peerOffline))
    #expect(node.transfers.all.map(\.state) == (action == .cancel ? [] : [.paused]))
    #expect(scene.arrived.isEmpty)
    if action == .pause {
      #expect(await scene.send() == .done)
      #expect(await eventually { scene.arrived == ["file"] })
    }
    await scene.close()
  }

  @Test(arguments: [TransferAction.cancel, .pause, .resume]) @LoopActor
  func atEveryStep(action: TransferAction) async throws {
    let scene = try await Scene()
    let alice = scene.alice
    var stoppedAtWork = 0
    for turns in 0..<100 {
      if alice.node.transfers.all.isEmpty { await scene.send() }
      let record = try #require(alice.node.transfers.all.first)
      let id = record.id.description
      let again = Task { await scene.send() }
      // Counted from the beginning, and from when it is at work: how long it takes till then is the other threads' affair.
      if turns % 2 == 1 { await yield { alice.node.transfers.sending[record.id] != nil } }
      for _ in 0..<turns { await Task.yield() }
      // Said before, it is the sending again that counts.
      let isAtWork = alice.node.transfers.sending[record.id] != nil
      if isAtWork { stoppedAtWork += 1 }
      if action == .resume {
        // Two at once: the later word counts.
        let paused = Task { await alice.ask(.transfer(id: id, action: .pause)).status }
        await Task.yield()
        #expect(await alice.ask(.transfer(id: id, action: .resume)).status == .done)
        #expect(await paused.value == .done)
      } else {
        #expect(await alice.ask(.transfer(id: id, action: action)).status == .done)
      }
      await again.value
      let left = alice.node.transfers[record.key]?.state
      #expect(
        !isAtWork || left == [.cancel: nil, .pause: .paused, .resume: .waiting][action], "after \(turns)")
    }
    #expect(stoppedAtWork > 0)
    await scene.close()
  }
}
