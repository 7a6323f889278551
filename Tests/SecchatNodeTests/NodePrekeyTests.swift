import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

/// How a node keeps its prekeys at the registry (docs/protocol.md, section 6.10).
@Suite(.serialized) struct NodePrekeyTests {
  /// Alice, whose prekeys are at the registry: she has asked what is there, and brought a hundred.
  @LoopActor private final class Scene {
    let registry: LyingRegistry
    let alice: NodeAtWork
    let name: UserName
    let brought: Publish

    init() async throws {
      registry = try LyingRegistry()
      alice = try await NodeAtWork("alice", at: registry)
      name = try alice.account("alice").name
      let (registry, node, name) = (registry, alice.node, name)
      try #require(
        await eventually { registry.publishes[name, default: []].count == 2 && !node.isStocking })
      brought = try #require(registry.publishes[name]?.last)
    }

    /// PUBLISHes after the first two.
    var later: [Publish] { Array(registry.publishes[name, default: []].dropFirst(2)) }

    /// Has the registry say that it has few, and waits until alice has seen to it.
    func stock(_ left: UInt16 = 19) async throws {
      let before = later.count
      registry.push(Stock(left: left), to: name)
      try await settle(beyond: before)
    }

    /// Waits until alice has published more, and is done.
    func settle(beyond count: Int) async throws {
      try #require(await eventually { self.later.count > count && !self.alice.node.isStocking })
    }

    func close() async {
      await alice.node.close()
      registry.stop()
    }
  }

  @Test @LoopActor func theFirstTimeAHundredAreBrought() async throws {
    let scene = try await Scene()
    let first = try #require(scene.registry.publishes[scene.name]?.first)
    #expect(first == Publish(request: first.request))
    #expect(scene.brought.replace && scene.brought.keys.count == 100 && scene.brought.used.isEmpty)
    let device = try #require(try scene.alice.node.ownList().list.devices.first)
    let isSigned = scene.brought.signed?.isSigned(by: device, of: try scene.alice.node.account())
    #expect(isSigned == true)
    await scene.close()
  }

  /// Fewer than twenty are filled up to a hundred, by ids that go on; more are not.
  @Test @LoopActor func whatIsLowIsFilledAgain() async throws {
    let scene = try await Scene()
    let signed = try #require(scene.brought.signed)
    var last = try #require(scene.brought.keys.last).id
    for (left, count) in [(19, 81), (20, 0), (0, 100), (.max, 0)] as [(UInt16, Int)] {
      scene.registry.lie { _, request in
        guard case .publish(let publish) = request else { return nil }
        return Published(
          request: publish.request, signed: signed.id, left: publish.keys.isEmpty ? left : 100)
      }
      let before = scene.later.count
      try await scene.stock()
      let fresh = scene.later.dropFirst(before)
      #expect(fresh.first.map { $0 == Publish(request: $0.request) } == true)
      let filling = fresh.dropFirst()
      #expect(filling.map(\.keys.count) == (count > 0 ? [count] : []), "\(left) left")
      guard let filling = filling.first, let ids = filling.keys.first.map({ (first: $0.id, count: count) })
      else { continue }
      #expect(!filling.replace && filling.signed == nil && ids.first == last + 1)
      last = try #require(filling.keys.last).id
    }
    await scene.close()
  }

  /// What happens while the registry is being asked is seen to afterwards.
  @Test @LoopActor func aStockThatSinksMeanwhileIsFilled() async throws {
    let scene = try await Scene()
    let signed = try #require(scene.brought.signed)
    scene.registry.lie { _, request in
      guard case .publish(let publish) = request else { return nil }
      return Published(request: publish.request, signed: signed.id, left: scene.later.count == 1 ? 20 : 19)
    }
    scene.registry.unasked = { request in
      guard case .publish = request, scene.later.count == 1 else { return [] }
      return [Stock(left: 19)]
    }
    scene.registry.push(Stock(left: 19), to: scene.name)
    try await scene.settle(beyond: 2)
    #expect(scene.later.prefix(3).map(\.keys.count) == [0, 0, 81])
    await scene.close()
  }

  /// That one was used is said until the registry has heard it, also where it is away or refuses.
  @Test @LoopActor func whatWasUsedIsReported() async throws {
    let scene = try await Scene()
    let bob = try await NodeAtWork("bob", at: scene.registry)
    let name = scene.name
    scene.registry.lie { _, request in
      guard case .publish(let publish) = request, !publish.used.isEmpty else { return nil }
      return Failure(request: publish.request, reason: .rateLimited, wait: 1)
    }
    #expect(await bob.chat("alice").status == .done)
    try await scene.settle(beyond: 0)
    let used = try #require(scene.registry.given[name])
    #expect(used.count == 1 && scene.later.map(\.used) == [used])
    // At the next log-in.
    scene.registry.lie { _, _ in nil }
    scene.registry.hangUp()
    try await scene.settle(beyond: 1)
    #expect(scene.later.map(\.used) == [used, used])
    try await scene.stock()
    #expect(scene.later.map(\.used) == [used, used, []])
    await bob.node.close()
    await scene.close()
  }

  /// Prekeys that may be of another state of this profile are replaced, also where that fails at first.
  @Test @LoopActor func whatIsToBeReplacedIs() async throws {
    let scene = try await Scene()
    scene.registry.lie { _, request in
      guard case .publish(let publish) = request, publish.replace else { return nil }
      return Failure(request: publish.request, reason: .unavailable)
    }
    scene.alice.node.stockPrekeysSoon(replacing: true)
    try await scene.settle(beyond: 1)
    scene.registry.lie { _, _ in nil }
    try await scene.stock()
    #expect(scene.later.map(\.replace) == [false, true, false, true])
    try await scene.stock()
    #expect(scene.later.count == 5)
    await scene.close()
  }

  /// A registry that says without end that it has none left, whatever it is brought, is brought some now and then.
  @Test @LoopActor func aFloodOfEmptyStocks() async throws {
    let scene = try await Scene()
    let signed = try #require(scene.brought.signed)
    scene.registry.lie { _, request in
      guard case .publish(let publish) = request else { return nil }
      return Published(request: publish.request, signed: signed.id, left: 0)
    }
    scene.registry.unasked = { request in
      guard case .list(let list) = request else { return [] }
      let words: [any WireMessage] = [
        Stock(left: 0), Published(request: list.request + 1, signed: 1, left: 0),
      ]
      return Array(repeating: words, count: 5_000).flatMap { $0 }
    }
    // The answer comes behind them all.
    #expect(await scene.alice.ask(.list).status == .done)
    try await scene.settle(beyond: 0)
    #expect(scene.later.count < 20)
    let rows = try await scene.alice.node.store.read { (database) throws(SQLiteError) in
      try database.first("SELECT count(*) FROM prekeys") { (row) throws(SQLiteError) in try row.integer(0) }
    }
    let brought = scene.later.reduce(scene.brought.keys.count) { $0 + $1.keys.count }
    #expect(try #require(rows) <= Int64(1 + brought))
    #expect(scene.alice.node.client?.isOnline == true)
    await scene.close()
  }
}
