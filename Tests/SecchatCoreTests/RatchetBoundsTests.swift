import SecchatCrypto
import TestSupport
import Testing

@testable import SecchatCore

/// How much a session keeps of what has not come, and that what goes beyond changes nothing.
@Suite struct RatchetBoundsTests {
  /// One message of a bare ratchet.
  private struct Letter {
    let header: RatchetHeader
    let sealed: [UInt8]
  }

  /// One end of a bare ratchet.
  private struct End {
    var state: RatchetState<MessageSuite>

    mutating func seal() throws -> Letter {
      let (header, sealed) = try state.seal([1].raw, authenticating: Self.encode)
      return Letter(header: header, sealed: sealed)
    }

    mutating func seal(_ count: Int) throws -> [Letter] { try (0..<count).map { _ in try seal() } }

    mutating func open(_ letter: Letter) throws {
      _ = try state.open(letter.header, letter.sealed.raw, authenticating: Self.encode(letter.header).raw)
    }

    /// Whether a message opens; what is not opened changes nothing.
    mutating func opens(_ letter: Letter) throws -> Bool {
      let before = encoded
      do throws(RatchetError) {
        _ = try state.open(letter.header, letter.sealed.raw, authenticating: Self.encode(letter.header).raw)
        return true
      } catch {
        let isUnchanged = encoded == before
        #expect(error == .undecryptable && isUnchanged)
        return false
      }
    }

    var encoded: [UInt8] {
      var writer = SecretWriter(count: state.encodedLength)
      state.encode(into: &writer)
      return writer.finish().withBytes { $0.array }
    }

    static func encode(_ header: RatchetHeader) -> [UInt8] {
      var writer = WireWriter()
      header.encode(into: &writer)
      return writer.bytes
    }
  }

  private var (alice, bob): (End, End)

  init() throws {
    let root = Users.bytes(0x51)
    let key = RatchetKeyPair.random()
    alice = End(state: RatchetState(initiator: RootKey(SecretBytes(root)), theirs: key.publicKey))
    bob = End(state: RatchetState(responder: RootKey(SecretBytes(root)), ours: key))
  }

  /// Alice's next message begins another chain.
  private mutating func turn() throws { try alice.open(bob.seal()) }

  @Test(arguments: [false, true])
  mutating func `of 3,000 messages that were passed over the oldest 1,000 are gone`(
    turning: Bool
  ) async throws {
    var missing: [Letter] = []
    for _ in 0..<3 {
      missing += try alice.seal(1_000)
      try bob.open(alice.seal())
      if turning { try turn() }
    }
    // One by one, from the newest on.
    for letter in missing[1_000...].reversed() {
      try bob.open(letter)
      // Others have deadlines.
      await Task.yield()
    }
    var gone = 0
    for letter in missing[..<1_000] {
      if try !bob.opens(letter) { gone += 1 }
      await Task.yield()
    }
    #expect(gone == 1_000)
  }

  @Test mutating func `of seven chains with a message missing the newest five are kept`() throws {
    var missing: [Letter] = []
    for _ in 0..<7 {
      missing.append(try alice.seal())
      try bob.open(alice.seal())
      try turn()
    }
    var opened: [Bool] = []
    for letter in missing { opened.append(try bob.opens(letter)) }
    #expect(opened == [false, false, true, true, true, true, true])
  }

  @Test mutating func `a chain that has all its messages takes no place`() throws {
    let missing = try alice.seal()
    for _ in 0..<7 {
      try bob.open(alice.seal())
      try turn()
    }
    try bob.open(missing)
  }

  /// The end of the chain before and the beginning of the next count together.
  @Test(arguments: [
    (600, 400, true), (600, 401, false), (600, 600, false), (1_000, 0, true), (1_001, 0, false),
  ])
  mutating func `a message passes over 1,000 of two chains at most`(
    before: Int, after: Int, opens: Bool
  ) throws {
    try bob.open(alice.seal())
    _ = try alice.seal(before)
    try turn()
    _ = try alice.seal(after)
    let letter = try alice.seal()
    let state = bob.encoded
    if opens {
      try bob.open(letter)
    } else {
      #expect(throws: RatchetError.tooFarAhead) { try bob.open(letter) }
      let isUnchanged = bob.encoded == state
      #expect(isUnchanged)
    }
  }

  @Test mutating func `a message passes over 1,000 of one chain at most`() throws {
    let (first, letters) = (try alice.seal(), try alice.seal(1_001))
    let state = bob.encoded
    #expect(throws: RatchetError.tooFarAhead) { try bob.open(letters[1_000]) }
    #expect(bob.encoded == state)
    try bob.open(letters[999])
    try bob.open(first)
    try bob.open(letters[1_000])
  }

  // MARK: The end of the numbers

  @Test mutating func `a chain whose numbers are used up seals nothing, and the next turn begins another`()
    throws
  {
    try bob.open(alice.seal())
    alice.state.sending?.next = .max - 1
    let chain = try #require(bob.state.receiving.last)
    bob.state.receiving = [ReceivingChain(theirs: chain.theirs, key: chain.key, next: .max - 1)]
    let key = try #require(alice.state.sending?.key.next)

    let last = try alice.seal()
    #expect(last.header.number == UInt32.max - 1)
    let state = alice.encoded
    #expect(throws: RatchetError.exhausted) { try alice.seal() }
    #expect(alice.encoded == state)

    try bob.open(last)
    // What nobody would seal is not opened either.
    let header = RatchetHeader(key: last.header.key, previous: last.header.previous, number: .max)
    let beyond = MessageSuite.seal(
      [1].raw, with: key.messageKey, authenticating: End.encode(header).raw)
    let isOpened = try bob.opens(Letter(header: header, sealed: beyond))
    #expect(!isOpened)

    try turn()
    try bob.open(alice.seal())
  }

  // MARK: What is no message

  /// Bob has answered; of Alice's first chain messages have not come, and what comes next is in another, after a gap.
  private func gap() throws -> (alice: Writer, bob: Writer, missing: [Envelope], next: Envelope) {
    var (alice, bob) = try Writer.pair()
    try alice.begin(with: bob)
    var missing = [try alice.writeInVain()]
    try bob.read(alice.write(), from: alice)
    missing += [try alice.writeInVain(), try alice.writeInVain()]
    try alice.read(bob.write(), from: bob)
    missing.append(try alice.writeInVain())
    let next = try alice.write()
    return (alice, bob, missing, next)
  }

  @Test func `whatever byte of a message is changed, nothing is`() throws {
    var (alice, bob, missing, next) = try gap()
    let state = bob.state
    var writer = WireWriter()
    next.encode(into: &writer)
    for index in writer.bytes.indices {
      for bit: UInt8 in [0x01, 0x80] {
        var changed = writer.bytes
        changed[index] ^= bit
        var reader = WireReader(changed.raw)
        guard let envelope = try? Envelope(from: &reader) else { continue }
        #expect(throws: Correspondence.Failure.self, "byte \(index)") { try bob.read(envelope, from: alice) }
        #expect(bob.state == state, "byte \(index)")
      }
    }
    try bob.read(next, from: alice)
    for envelope in missing { try bob.read(envelope, from: alice) }
    try alice.read(bob.write(), from: bob)
  }

  @Test func `a message too far ahead changes nothing`() throws {
    var (alice, bob, missing, next) = try gap()
    let state = bob.state
    // Two of the chain before, and 999 of this one.
    for _ in 2..<999 { _ = try alice.writeInVain() }
    let far = try alice.write()
    #expect(far.header.number == 999)
    #expect(throws: Correspondence.Failure.undecryptable) { try bob.read(far, from: alice) }
    #expect(bob.state == state)
    try bob.read(next, from: alice)
    for envelope in missing { try bob.read(envelope, from: alice) }
    // It is not too far any more.
    try bob.read(far, from: alice)
    try alice.read(bob.write(), from: bob)
  }
}
