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

    func send() async {
      await alice.ask(.send(user: "bob", paths: [file], limitRate: nil, checksum: false))
    }

    func close() async {
      await alice.node.close()
      registry.stop()
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
