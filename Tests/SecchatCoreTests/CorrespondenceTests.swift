import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Several users who write to one another over links that break, and who crash at every step.
@Suite struct CorrespondenceTests {
  /// Everything at random, for so many steps; the same for the same seed but for the keys.
  private final class World {
    let users: [SimulatedUser]
    private var random: SplitMix
    private var links: [Pair: Link] = [:]
    private var queued: [Pair: [String]] = [:]
    private(set) var delivered = 0

    /// From whom to whom.
    struct Pair: Hashable {
      let from: Int
      let to: Int
      var back: Pair { Pair(from: to, to: from) }
    }

    /// What is under way in one direction.
    struct Link {
      var frames: [SimulatedUser.Frame] = []
      /// What somebody has recorded, to play it again.
      var recorded: [SimulatedUser.Frame] = []
    }

    init(users count: Int, seed: UInt64) throws {
      random = SplitMix(state: seed)
      let registry = try LinkKeyPair.random().publicKey
      users = try (0..<count).map { try SimulatedUser("user\($0)", registry: registry) }
    }

    private func anyPair() -> Pair {
      let from = Int.random(in: 0..<users.count, using: &random)
      let to = (from + Int.random(in: 1..<users.count, using: &random)) % users.count
      return Pair(from: from, to: to)
    }

    func step() throws {
      let pair = anyPair()
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<22: queue(pair)
      case 22..<58: try send(pair)
      case 58..<94: try receive(pair)
      case 94..<96: cut(pair)
      case 96: restart(pair.from)
      case 97: replay(pair)
      default: try flood(pair)
      }
    }

    func queue(_ pair: Pair) {
      let text = "\(pair.from) to \(pair.to): \(queued[pair, default: []].count)"
      queued[pair, default: []].append(text)
      users[pair.from].queue(text, to: users[pair.to].account)
    }

    private var crashes: Bool { Int.random(in: 0..<50, using: &random) == 0 }

    func send(_ pair: Pair) throws {
      guard links[pair] != nil else { return connect(pair) }
      do {
        let frame = try users[pair.from].next(for: users[pair.to], crashing: crashes, &random)
        if let frame { push(frame, pair) }
      } catch is SimulatedUser.Crash { restart(pair.from) }
    }

    private func push(_ frame: SimulatedUser.Frame, _ pair: Pair) {
      links[pair]?.frames.append(frame)
      if links[pair]?.recorded.count ?? 0 < 8 { links[pair]?.recorded.append(frame) }
    }

    func receive(_ pair: Pair) throws {
      guard let frame = links[pair]?.frames.first else { return }
      links[pair]?.frames.removeFirst()
      do {
        let answer = try users[pair.to].take(frame, from: users[pair.from].party, crashing: crashes, &random)
        if let answer { push(answer, pair.back) }
      } catch is SimulatedUser.Crash { restart(pair.to) }
    }

    /// Much at once, so that windows fill and directions turn.
    private func flood(_ pair: Pair) throws {
      for _ in 0..<8 { queue(pair) }
      for _ in 0..<8 { try send(pair) }
    }

    /// A message that has been seen comes again.
    private func replay(_ pair: Pair) {
      let chats = links[pair]?.recorded.filter { if case .chat = $0 { true } else { false } } ?? []
      if let frame = chats.randomElement(using: &random) { links[pair]?.frames.append(frame) }
    }

    private func connect(_ pair: Pair) {
      links[pair] = Link()
      links[pair.back] = Link()
      changed(pair)
    }

    private func cut(_ pair: Pair) {
      links[pair] = nil
      links[pair.back] = nil
      changed(pair)
    }

    private func changed(_ pair: Pair) {
      users[pair.from].linkChanged(users[pair.to].account)
      users[pair.to].linkChanged(users[pair.from].account)
    }

    func restart(_ user: Int) {
      users[user].restart()
      for pair in links.keys where pair.from == user { cut(pair) }
    }

    /// An older state of a user's disk takes the place of the newer one.
    func restore(_ user: Int, _ disk: SimulatedUser.Disk) {
      users[user].restore(disk)
      restart(user)
      for pair in queued.keys where pair.from == user || pair.to == user { queued[pair] = [] }
    }

    /// Carries everything over, without further accidents.
    func settle() throws {
      for _ in 0..<1_000_000 {
        var moved = false
        for from in users.indices {
          for to in users.indices where from != to {
            let pair = Pair(from: from, to: to)
            if links[pair] == nil { connect(pair) }
            if let frame = try users[from].next(for: users[to], crashing: false, &random) {
              push(frame, pair)
              moved = true
            }
            while let frame = links[pair]?.frames.first {
              links[pair]?.frames.removeFirst()
              let answer = try users[to].take(frame, from: users[from].party, crashing: false, &random)
              if let answer { push(answer, pair.back) }
              moved = true
            }
          }
        }
        if !moved { return }
      }
      Issue.record("it never came to rest")
    }

    /// Whether every message is there once, in its order, and nothing waits.
    func check(from start: [Pair: Int] = [:]) {
      for (pair, texts) in queued {
        let (from, to) = (users[pair.from], users[pair.to])
        #expect(from.disk.outbox[to.account, default: []].isEmpty)
        let inbox = to.disk.inbox[from.account, default: []].map { message -> String in
          if case .text(let text) = message.body { text } else { "" }
        }
        #expect(Array(inbox.suffix(texts.count)) == texts)
        if start.isEmpty { #expect(inbox.count == texts.count) }
        delivered += texts.count
      }
    }
  }

  /// `SECCHAT_FULL=1` takes a million.
  private static let steps: Int = {
    let environment = ProcessInfo.processInfo.environment
    if let steps = environment["SECCHAT_PROPERTY_STEPS"].flatMap(Int.init) { return steps }
    return environment["SECCHAT_FULL"] == "1" ? 1_000_000 : 20_000
  }()

  @Test(arguments: [2, 4]) func `nothing is lost, shown twice or out of order`(users: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let world = try World(users: users, seed: seed)
    for _ in 0..<Self.steps / 2 { try world.step() }
    try world.settle()
    world.check()
    for user in world.users {
      #expect(user.keysUsedTwice == 0)
      #expect(user.news.isEmpty, "a reset where no state was lost")
    }
    #expect(world.delivered > Self.steps / 10)
    print(
      "vectors property: \(users) users, \(Self.steps / 2) steps, \(world.delivered) messages, seed \(seed)")
  }

  @Test func `an old copy of a state is noticed, and everything written afterwards arrives`() throws {
    for seed in 0..<UInt64(Self.steps / 2_000) {
      let world = try World(users: 2, seed: seed)
      for _ in 0..<200 { try world.step() }
      try world.settle()
      let old = world.users[0].disk
      // Messages in one direction or both, so that the copy is really an old one.
      world.queue(.init(from: 0, to: 1))
      if seed % 2 == 0 { world.queue(.init(from: 1, to: 0)) }
      if seed % 3 == 0 { world.queue(.init(from: 1, to: 0)) }
      try world.settle()
      let before = world.users.map(\.news.count)
      world.restore(0, old)
      for pair in [World.Pair(from: 0, to: 1), World.Pair(from: 1, to: 0)].shuffled() {
        for _ in 0..<3 { world.queue(pair) }
      }
      try world.settle()
      world.check(from: [.init(from: 0, to: 1): 0])
      #expect(zip(world.users, before).contains { $0.news.count > $1 }, "nobody noticed, seed \(seed)")
    }
  }

  /// The example of the protocol's document, opened by what opens messages.
  @Test func `Bob opens Alice's first message`() throws {
    var bob = Correspondence()
    let opened = try bob.open(
      SealedExample.envelope, from: SealedExample.alice, as: SealedExample.bob, Users.bob
    ) { $0 == SealedExample.initiation ? SealedExample.prekeys : nil }
    #expect(opened.content == Messages.content && opened.begun == SealedExample.initiation)
    #expect(opened.news.isEmpty && !bob.needsBundle)
    #expect(throws: Correspondence.Failure.undecryptable, "a second time") {
      try bob.open(SealedExample.envelope, from: SealedExample.alice, as: SealedExample.bob, Users.bob) { _ in
        nil
      }
    }
  }

  /// Whatever is changed, nothing opens, and nothing changes: the next one does.
  @Test func `every changed byte is found`() throws {
    var bob = Correspondence()
    let before = bob.encoded.withBytes { $0.array }
    var writer = WireWriter()
    SealedExample.envelope.encode(into: &writer)
    for index in writer.bytes.indices {
      var changed = writer.bytes
      changed[index] ^= 0x40
      var reader = WireReader(changed.raw)
      guard let envelope = try? Envelope(from: &reader) else { continue }
      #expect(throws: Correspondence.Failure.self, "byte \(index)") {
        try bob.open(envelope, from: SealedExample.alice, as: SealedExample.bob, Users.bob) { _ in
          SealedExample.prekeys
        }
      }
      #expect(bob.encoded.withBytes { $0.array } == before)
    }
    // Nor for anybody else, or from anybody else: names, devices and keys are all in the binding.
    let mallory = try SecretIdentity.generate(now: 1)
    let others = [
      Party(
        account: SealedExample.bob.account, identity: SealedExample.alice.identity, device: 1,
        messaging: SealedExample.alice.messaging),
      Party(
        account: SealedExample.alice.account, identity: mallory.identity.publicKey, device: 1,
        messaging: SealedExample.alice.messaging),
      Party(
        account: SealedExample.alice.account, identity: SealedExample.alice.identity, device: 2,
        messaging: SealedExample.alice.messaging),
      Party(
        account: SealedExample.alice.account, identity: SealedExample.alice.identity, device: 1,
        messaging: mallory.messaging.publicKey),
    ]
    for other in others {
      #expect(throws: Correspondence.Failure.undecryptable) {
        try bob.open(SealedExample.envelope, from: other, as: SealedExample.bob, Users.bob) { _ in
          SealedExample.prekeys
        }
      }
    }
    _ = try bob.open(SealedExample.envelope, from: SealedExample.alice, as: SealedExample.bob, Users.bob) {
      _ in
      SealedExample.prekeys
    }
  }

  @Test func `who begins anew beside a session of the other side comes to one session with it`() throws {
    let registry = try LinkKeyPair.random().publicKey
    for _ in 0..<16 {
      let (a, b) = (
        try SimulatedUser("alice", registry: registry), try SimulatedUser("bob", registry: registry)
      )
      var random = SplitMix(state: 2)
      /// Says something, which arrives and is confirmed; the session in which it went.
      func say(_ from: SimulatedUser, _ to: SimulatedUser) throws -> SessionID? {
        from.queue("hello", to: to.account)
        let frame = must(try from.next(for: to, crashing: false, &random))
        let answer = must(try to.take(frame, from: from.party, crashing: false, &random))
        _ = try from.take(answer, from: to.party, crashing: false, &random)
        return if case .chat(let chat) = frame { chat.envelope.session } else { nil }
      }
      // Bob has only listened when he finds that his state is an old copy, and begins a session.
      let first = try say(a, b)
      let old = b.disk
      _ = try say(a, b)
      b.restore(old)
      a.linkChanged(b.account)
      _ = try say(a, b)
      #expect(b.news == [.missing(1)])
      #expect(try say(b, a) != first)
      _ = try say(a, b)
      let session = try say(b, a)
      for _ in 0..<3 { #expect(try say(a, b) == session && say(b, a) == session) }
      #expect((session == first) == (a.party.identity.raw < b.party.identity.raw))
    }
  }

  @Test func `two who begin at once come to one session`() throws {
    let registry = try LinkKeyPair.random().publicKey
    for _ in 0..<16 {
      let (a, b) = (
        try SimulatedUser("alice", registry: registry), try SimulatedUser("bob", registry: registry)
      )
      var random = SplitMix(state: 1)
      func say(_ from: SimulatedUser, _ to: SimulatedUser) throws -> SimulatedUser.Frame {
        from.queue("hello", to: to.account)
        return must(try from.next(for: to, crashing: false, &random))
      }
      func session(_ frame: SimulatedUser.Frame) -> SessionID? {
        if case .chat(let chat) = frame { chat.envelope.session } else { nil }
      }
      func carry(_ frame: SimulatedUser.Frame, _ from: SimulatedUser, _ to: SimulatedUser) throws {
        let answer = must(try to.take(frame, from: from.party, crashing: false, &random))
        _ = try from.take(answer, from: to.party, crashing: false, &random)
      }
      let (first, second) = (try say(a, b), try say(b, a))
      #expect(session(first) != session(second))
      try carry(first, a, b)
      try carry(second, b, a)
      let (third, fourth) = (try say(a, b), try say(b, a))
      #expect(session(third) == session(fourth))
      let winner = a.party.identity.raw < b.party.identity.raw ? first : second
      #expect(session(third) == session(winner))
      try carry(third, a, b)
      try carry(fourth, b, a)
      #expect(a.news.isEmpty && b.news.isEmpty)
    }
  }
}
