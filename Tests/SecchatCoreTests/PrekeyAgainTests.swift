import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Prekeys that a registry gives twice, and first messages that come twice.
@Suite struct PrekeyAgainTests {
  /// Alice, who begins, and Bob, over a link on which nothing is lost.
  private final class Two {
    let (alice, bob): (SimulatedUser, SimulatedUser)
    private var random = SplitMix(state: 1)

    init() throws {
      let registry = try LinkKeyPair.random().publicKey
      alice = try SimulatedUser("alice", registry: registry)
      bob = try SimulatedUser("bob", registry: registry)
    }

    /// One asks for the other's prekeys, and does not use them yet.
    func ask() -> UInt32? { bob.bundle(for: alice.account, &random).oneTime?.id }

    /// Says something, and carries everything over.
    ///
    /// - Returns: what was sent, and whether it was taken.
    @discardableResult
    func say(_ text: String, from: SimulatedUser) throws -> [(chat: Chat, refusal: Refuse.Reason?)] {
      let to = from === alice ? bob : alice
      from.queue(text, to: to.account)
      var sent: [(chat: Chat, refusal: Refuse.Reason?)] = []
      while let frame = try from.next(for: to, crashing: false, &random) {
        guard case .chat(let chat) = frame, sent.count < 20 else {
          Issue.record("it does not arrive")
          break
        }
        let answer = try #require(try take(frame, from: from, to: to))
        sent.append((chat, refusal(answer)))
        _ = try take(answer, from: to, to: from)
      }
      return sent
    }

    func take(
      _ frame: SimulatedUser.Frame, from: SimulatedUser, to: SimulatedUser
    ) throws -> SimulatedUser.Frame? {
      try to.take(frame, from: from.party, crashing: false, &random)
    }

    func refusal(_ answer: SimulatedUser.Frame?) -> Refuse.Reason? {
      if case .refuse(_, let reason) = answer { reason } else { nil }
    }

    /// An older disk of one of them, and a new link.
    func restore(_ user: SimulatedUser, _ disk: SimulatedUser.Disk) {
      user.restore(disk)
      (user === alice ? bob : alice).linkChanged(user.account, to: 0)
    }

    /// Whether what they say goes on without a word of trouble, and comes to one session.
    func expectPeace() throws {
      let news = (alice.news, bob.news)
      var sessions: Set<SessionID> = []
      for round in 0..<4 {
        for user in [bob, alice] {
          let sent = try say("peace", from: user)
          #expect(sent.map(\.refusal) == [nil])
          if round > 0, let one = sent.first { sessions.insert(one.chat.envelope.session) }
        }
      }
      #expect(sessions.count == 1)
      #expect((alice.news, bob.news) == news)
    }

    func texts(of user: SimulatedUser) -> [String] {
      user.disk.inbox.values.joined().map { if case .text(let text) = $0.body { text } else { "" } }
    }
  }

  /// Whether the registry hears that a prekey was used, and whether it has others.
  private static let arrangements = [(true, true), (true, false), (false, true), (false, false)]

  @Test(arguments: arrangements)
  func `who was rolled back and is given the same prekey again is heard`(told: Bool, hasOthers: Bool) throws {
    let two = try Two()
    two.bob.arrangePrekeys(isToldOfUse: false, hasAny: true)
    let old = two.alice.disk
    let first = try two.say("one", from: two.alice)
    let prekey = try #require(first.last?.chat.envelope.initiation?.oneTime)
    #expect(two.bob.disk.oneTime[prekey] == nil)

    two.restore(two.alice, old)
    two.bob.arrangePrekeys(isToldOfUse: told, hasAny: hasOthers)
    let sent = try two.say("two", from: two.alice)
    let used = sent.map(\.chat.envelope.initiation?.oneTime)
    // Given once more, it is refused, and the next attempt is with another or none.
    #expect(sent.map(\.refusal) == (told ? [nil] : [.unknownPrekey, nil]))
    #expect(told || used.first == prekey)
    #expect((used.last.flatMap { $0 } != nil) == hasOthers && used.last != prekey)
    #expect(two.texts(of: two.bob) == ["one", "two"])
    #expect(two.bob.news == [.reset, .rolledBack])
    try two.expectPeace()
  }

  @Test(arguments: arrangements)
  func `who was rolled back to before a prekey's use is spoken to with the same one`(
    told: Bool, hasOthers: Bool
  ) throws {
    let two = try Two()
    two.bob.arrangePrekeys(isToldOfUse: false, hasAny: true)
    let prekey = try #require(two.ask())
    let old = two.bob.disk
    let first = try two.say("one", from: two.alice)
    #expect(first.last?.chat.envelope.initiation?.oneTime == prekey)
    try two.say("and back", from: two.bob)

    two.restore(two.bob, old)
    two.bob.arrangePrekeys(isToldOfUse: told, hasAny: hasOthers)
    let sent = try two.say("two", from: two.alice)
    #expect(sent.map(\.refusal) == [.undecryptable, nil])
    let used = sent.last?.chat.envelope.initiation?.oneTime
    #expect(told ? (used != nil) == hasOthers && used != prekey : used == prekey)
    #expect(two.texts(of: two.bob) == ["two"])
    #expect(two.bob.news == [.missing(1)] && two.alice.news == [.reset])
    #expect(two.bob.disk.oneTime[prekey] == nil || used != prekey)
    try two.say("three", from: two.bob)
    #expect(two.alice.news.dropFirst().allSatisfy { $0 == .reset || $0 == .rolledBack })
    try two.expectPeace()
  }

  /// The registry goes on giving what was brought after the copy was made, until there is nothing left of it.
  @Test(arguments: arrangements)
  func `who was rolled back to before the prekeys were made is spoken to with newer ones or none`(
    told: Bool, hasOthers: Bool
  ) throws {
    let two = try Two()
    let old = two.bob.disk
    two.bob.arrangePrekeys(isToldOfUse: false, hasAny: true)
    try two.say("one", from: two.alice)
    try two.say("and back", from: two.bob)

    two.restore(two.bob, old)
    two.bob.arrangePrekeys(isToldOfUse: told, hasAny: hasOthers)
    let sent = try two.say("two", from: two.alice)
    #expect(sent.first?.refusal == .undecryptable && sent.last?.refusal == nil)
    #expect(sent.dropFirst().dropLast().allSatisfy { $0.refusal == .unknownPrekey })
    let used = sent.dropFirst().compactMap(\.chat.envelope.initiation?.oneTime)
    #expect(Set(used).count == used.count, "one that failed was tried again")
    #expect((sent.last?.chat.envelope.initiation?.oneTime != nil) == hasOthers)
    #expect(two.texts(of: two.bob) == ["two"])
    try two.say("three", from: two.bob)
    try two.expectPeace()
  }

  /// Ids of messages are forgotten after some thousands, and sessions after some others: what then keeps a first message
  /// from being shown again is that its prekeys begin nothing twice.
  @Test(arguments: [true, false])
  func `a first message that comes again is not opened again`(withOneTime: Bool) throws {
    let two = try Two()
    two.bob.arrangePrekeys(isToldOfUse: true, hasAny: withOneTime)
    let blank = two.alice.disk
    let chat = try #require(try two.say("one", from: two.alice).last).chat
    #expect((chat.envelope.initiation?.oneTime != nil) == withOneTime)
    func again() throws -> Refuse.Reason? {
      let answer = try #require(try two.take(.chat(chat), from: two.alice, to: two.bob))
      return two.refusal(answer)
    }
    #expect(try again() == nil, "its id is known")
    two.bob.forgetIDs(of: two.alice.account)
    #expect(try again() == .undecryptable, "its session is known")
    for _ in 0..<4 {
      two.restore(two.alice, blank)
      try two.say("anew", from: two.alice)
    }
    two.bob.forgetIDs(of: two.alice.account)
    #expect(try again() == .unknownPrekey)
    #expect(two.texts(of: two.bob) == ["one", "anew", "anew", "anew", "anew"])
    try two.expectPeace()
  }
}
