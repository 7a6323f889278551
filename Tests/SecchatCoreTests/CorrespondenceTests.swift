import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Several users who write to one another over links that break, and who crash at every step.
@Suite struct CorrespondenceTests {
  /// `SECCHAT_FULL=1` takes a million, where no sanitizer makes that hours.
  private static let steps: Int = {
    let environment = ProcessInfo.processInfo.environment
    if let steps = environment["SECCHAT_PROPERTY_STEPS"].flatMap(Int.init) { return steps }
    return environment["SECCHAT_FULL"] == "1" && !isSanitized ? 1_000_000 : 20_000
  }()

  @Test(arguments: [2, 4]) func `nothing is lost, shown twice or out of order`(users: Int) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let world = try SimulatedWorld(users: users, seed: seed)
    for step in 0..<Self.steps / 2 {
      try world.step()
      // Others have deadlines.
      if step % 32 == 0 { await Task.yield() }
    }
    try world.settle()
    world.check()
    for user in world.users {
      #expect(user.keysUsedTwice == 0)
      #expect(user.news.isEmpty, "a reset where no state was lost")
    }
    #expect(world.delivered > Self.steps / 10 && world.late > Self.steps / 1_000)
    print(
      "vectors property: \(users) users, \(Self.steps / 2) steps, \(world.delivered) messages, seed \(seed)")
  }

  @Test func `nothing is a reset at the beginning, whatever comes late`() async throws {
    for seed in 0..<UInt64(Self.steps / 100) {
      await Task.yield()
      let world = try SimulatedWorld(users: 2, seed: seed)
      for _ in 0..<60 { try world.step() }
      try world.settle()
      world.check()
      for user in world.users { #expect(user.news.isEmpty, "seed \(seed)") }
    }
  }

  /// Both begin at once, and a link is replaced: what Alice has sent over the old one in her session comes after she has
  /// written in Bob's over the new one.
  @Test func `a beginning that comes late over another link is no reset`() throws {
    let registry = try LinkKeyPair.random().publicKey
    for _ in 0..<16 {
      let (a, b) = (
        try SimulatedUser("alice", registry: registry), try SimulatedUser("bob", registry: registry)
      )
      var random = SplitMix(state: 3)
      func next(_ from: SimulatedUser, _ to: SimulatedUser) throws -> SimulatedUser.Frame {
        must(try from.next(for: to, crashing: false, &random))
      }
      /// Carries a frame over and its answer back.
      func carry(_ frame: SimulatedUser.Frame, _ from: SimulatedUser, _ to: SimulatedUser, over link: Int)
        throws
      {
        let answer = must(try to.take(frame, from: from.party, over: link, crashing: false, &random))
        _ = try from.take(answer, from: to.party, over: link, crashing: false, &random)
      }
      for link in [0, 1] {
        a.linkOpened(b.account, link)
        b.linkOpened(a.account, link)
      }
      for text in ["one", "two"] { a.queue(text, to: b.account) }
      b.queue("hello", to: a.account)
      let late = [try next(a, b), try next(a, b)]
      try carry(next(b, a), b, a, over: 0)
      a.linkChanged(b.account, to: 1)
      b.linkChanged(a.account, to: 1)
      try carry(next(a, b), a, b, over: 1)
      for frame in late { try carry(frame, a, b, over: 0) }
      while let frame = try a.next(for: b, crashing: false, &random) { try carry(frame, a, b, over: 1) }
      #expect(a.news.isEmpty && b.news.isEmpty)
      #expect(b.disk.inbox[a.account]?.count == 2 && a.disk.inbox[b.account]?.count == 1)
    }
  }

  @Test func `an old copy of a state is noticed, and everything written afterwards arrives`() async throws {
    for seed in 0..<UInt64(Self.steps / 1_000) {
      await Task.yield()
      let world = try SimulatedWorld(users: 2, seed: seed)
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
      for pair in [SimulatedWorld.Pair(from: 0, to: 1), SimulatedWorld.Pair(from: 1, to: 0)].shuffled() {
        for _ in 0..<3 { world.queue(pair) }
      }
      for _ in 0..<100 { try world.step() }
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
      a.linkChanged(b.account, to: 0)
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
