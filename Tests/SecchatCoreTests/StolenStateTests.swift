import SecchatCrypto
import TestSupport
import Testing

@testable import SecchatCore

/// What somebody can do who has copied what is kept of Bob's correspondence with Alice, and Bob's keys.
@Suite struct StolenStateTests {
  private typealias Failure = Correspondence.Failure

  /// Who had written last when the copy was made.
  enum Moment: CaseIterable, Sendable {
    case aliceHasWritten
    case bobHasWritten
    /// Alice has not seen yet what Bob wrote last.
    case bobsMessageIsUnderWay
  }

  /// Alice and Bob in the middle of a conversation.
  private func conversation(_ moment: Moment) throws -> (alice: Writer, bob: Writer, underWay: Envelope?) {
    var (alice, bob) = try Writer.pair()
    try alice.begin(with: bob)
    for _ in 0..<2 {
      try bob.read(alice.write(), from: alice)
      try alice.read(bob.write(), from: bob)
    }
    switch moment {
    case .aliceHasWritten:
      try bob.read(alice.write(), from: alice)
      return (alice, bob, nil)
    case .bobHasWritten: return (alice, bob, nil)
    case .bobsMessageIsUnderWay:
      try bob.read(alice.write(), from: alice)
      let underWay = try bob.write()
      return (alice, bob, underWay)
    }
  }

  @Test(arguments: Moment.allCases)
  func `a stolen state opens what comes next, and nothing once Bob was answered and has answered that`(
    moment: Moment
  ) throws {
    var (alice, bob, underWay) = try conversation(moment)
    var thief = try bob.stolen()
    // The control: the copy is as good as the original.
    let next = try alice.write("before")
    try bob.read(next, from: alice)
    let read = try thief.read(next, from: alice)
    #expect(read.content.message.body == .text("before"))
    if let underWay { try alice.read(underWay, from: bob) }

    // The thief reads on, as far as it can.
    var wire = [next.header.key]
    func send(_ writer: inout Writer) throws -> Envelope {
      let envelope = try writer.write()
      wire.append(envelope.header.key)
      return envelope
    }
    try alice.read(send(&bob), from: bob)
    var keys = try ratchet(of: bob)
    var closed = try send(&alice)
    if moment == .bobsMessageIsUnderWay {
      // Bob went on under the ratchet key that the thief has, and Alice's answer is to that one.
      try thief.read(closed, from: alice)
      try bob.read(closed, from: alice)
      try alice.read(send(&bob), from: bob)
      keys = try ratchet(of: bob)
      closed = try send(&alice)
    }
    // Nothing that it can compute opens it; what Bob's new key makes of the same does.
    let recorded = Recorded(closed, binding(of: bob))
    let stolen = try ratchet(of: thief)
    let old = try #require(stolen.ours), fresh = try #require(keys.ours)
    #expect(try !opens(recorded, from: stolen, with: [old], wire))
    #expect(try opens(recorded, from: stolen, with: [old, fresh], wire))
    for _ in 0..<3 {
      let state = thief.state
      #expect(throws: Failure.undecryptable) { try thief.read(closed, from: alice) }
      #expect(thief.state == state)
      try bob.read(closed, from: alice)
      try alice.read(bob.write(), from: bob)
      closed = try alice.write()
    }
  }

  /// The ratchet of the one session that there is, which the other side has begun.
  private func ratchet(of writer: Writer) throws -> RatchetState<MessageSuite> {
    let state = writer.state
    var reader = WireReader(state.raw)
    _ = try reader.take(Self.place.upperBound + 3)
    return try RatchetState(from: &reader)
  }

  /// What its messages are bound to.
  private func binding(of writer: Writer) -> FixedBytes<32> {
    must(FixedBytes(Array(writer.state[Self.place])))
  }

  /// Where that stands in what is kept of a correspondence: after its head of 83 bytes, before three flags and the ratchet.
  private static let place = 83..<115

  /// Whether one finds the key of a message from here, by the agreements of these keys with all that were on the wire,
  /// or by zeros.
  private func opens(
    _ recorded: Recorded, from state: RatchetState<MessageSuite>, with keys: [RatchetKeyPair],
    _ wire: [RatchetPublicKey]
  ) throws -> Bool {
    var outputs = [[UInt8](repeating: 0, count: 32)]
    for key in keys {
      for other in Set(wire + [state.theirs].compactMap { $0 }) {
        outputs.append(try key.privateKey.sharedSecret(with: other).copied())
      }
    }
    var roots = [state.root]
    for _ in 0..<3 {
      var further: [RootKey] = []
      for root in roots {
        for output in outputs {
          let (next, chain) = root.step(SecretBytes(output), info: MessageSuite.rootInfo)
          if recorded.opens(with: chain.messageKey) { return true }
          further.append(next)
        }
      }
      roots = further
    }
    return false
  }

  /// Until then the thief can write as Bob, which shows as soon as Bob writes himself.
  @Test(arguments: Moment.allCases)
  func `what a thief writes in a session shows at the next message of the one it was stolen from`(
    moment: Moment
  ) throws {
    var (alice, bob, underWay) = try conversation(moment)
    var thief = try bob.stolen()
    if let underWay { try alice.read(underWay, from: bob) }
    let forged = try alice.read(thief.write("from the thief"), from: bob)
    #expect(forged.content.message.body == .text("from the thief"))

    let genuine = try bob.write(arrives: false)
    #expect(throws: Failure.undecryptable) { try alice.read(genuine, from: bob) }
    // Bob hears of it, and begins anew: both are told.
    let isNews = bob.correspondence.abandon(genuine.session)
    #expect(isNews)
    try bob.begin(with: alice)
    bob.correspondence.rewind()
    let renewed = try alice.read(bob.write(), from: bob)
    #expect(renewed.news == [.reset, .rolledBack])
  }

  @Test(arguments: Moment.allCases)
  func `once Bob was answered and has answered that, a thief writes as Bob only in a session of its own`(
    moment: Moment
  ) throws {
    var (alice, bob, underWay) = try conversation(moment)
    var thief = try bob.stolen()
    if let underWay { try alice.read(underWay, from: bob) }
    try alice.read(bob.write(), from: bob)
    try bob.read(alice.write(), from: alice)
    try alice.read(bob.write(), from: bob)

    let state = alice.state
    for _ in 0..<3 {
      let forged = try thief.write(arrives: false)
      #expect(throws: Failure.undecryptable) { try alice.read(forged, from: bob) }
    }
    #expect(alice.state == state)
    // Bob's keys begin another session, which Alice is told of.
    thief.correspondence.rewind()
    try thief.begin(with: alice)
    let begun = try alice.read(thief.write(), from: bob)
    #expect(begun.news == [.reset, .rolledBack])
  }

  // MARK: What was recorded

  /// An envelope as somebody has it who has listened, and knows all that is public.
  private struct Recorded {
    let envelope: Envelope
    let associated: [UInt8]

    init(_ envelope: Envelope, _ binding: FixedBytes<32>) {
      self.envelope = envelope
      associated = Envelope.associated(binding, envelope.session, envelope.initiation, envelope.header)
    }

    func opens(with key: borrowing MessageKey) -> Bool {
      (try? MessageSuite.open(envelope.sealed.raw, with: key, authenticating: associated.raw)) != nil
    }
  }

  /// How far a chain is followed from each key that may be one's: more than the messages of a chain here.
  private static let steps = 4

  /// Which of the recorded envelopes some 32 bytes of a state open, as the key of a message or of a chain.
  private func openable(_ recorded: [Recorded], with state: [UInt8]) -> Set<Int> {
    var found: Set<Int> = []
    func attempt(_ key: borrowing MessageKey) {
      for index in recorded.indices where recorded[index].opens(with: key) { found.insert(index) }
    }
    for start in 0...state.count - 32 {
      let window = Array(state[start..<start + 32])
      attempt(MessageKey(SecretBytes(window)))
      var chain = ChainKey(SecretBytes(window))
      for _ in 0..<Self.steps {
        attempt(chain.messageKey)
        chain = chain.next
      }
    }
    return found
  }

  @Test func `a stolen state holds no key of what was recorded before`() throws {
    var (alice, bob) = try Writer.pair()
    try alice.begin(with: bob)
    var recorded: [Recorded] = []
    var initiation: Initiation?
    func record(_ envelope: Envelope) throws -> Envelope {
      initiation = initiation ?? envelope.initiation
      let binding = SessionBinding.of(
        initiator: alice.party, responder: bob.party, initiation: try #require(initiation))
      recorded.append(Recorded(envelope, binding))
      return envelope
    }
    // Two turns; of Alice's messages one comes late, and one has not come.
    try bob.read(record(alice.write()), from: alice)
    try alice.read(record(bob.write()), from: bob)
    let before = bob.state
    let (late, missing) = (try record(alice.writeInVain()), try record(alice.writeInVain()))
    try bob.read(record(alice.write()), from: alice)
    let passed = bob.state
    try bob.read(late, from: alice)
    try alice.read(record(bob.write()), from: bob)

    // The controls: a state opens what is still to come in it, and what was passed over.
    let (lateIndex, missingIndex) = (2, 3)
    #expect(openable(recorded, with: passed) == [lateIndex, missingIndex])
    // Nor does the one before hold what began with a key that was not there.
    #expect(openable(recorded, with: before).isEmpty)
    #expect(openable(recorded, with: bob.state) == [missingIndex])
    #expect(openable(recorded, with: alice.state).isEmpty)
    try bob.read(missing, from: alice)
    #expect(openable(recorded, with: bob.state).isEmpty)

    // Within one chain: the state before a message holds its key, the one after it does not.
    let next = recorded.count
    let envelope = try record(alice.write())
    try bob.read(envelope, from: alice)
    let middle = bob.state
    try bob.read(record(alice.write()), from: alice)
    #expect(openable(recorded, with: middle) == [next + 1])
    #expect(openable(recorded, with: bob.state).isEmpty)
  }
}
