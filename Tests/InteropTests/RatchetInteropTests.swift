import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Live conversations with the Python packages X3DH and DoubleRatchet, which were given our KDFs and our AEAD.
@Suite struct RatchetInteropTests {
  @Test(.timeLimit(.minutes(1))) func `both roles of X3DH, and long conversations after it`() async throws {
    let peer = try Program.python("ratchet_peer.py")
    let listener = try LoopbackSocket.listening()
    var random = SeededNumbers(state: 7)
    for role in [RatchetPeer.Role.initiator, .responder] {
      for oneTime in [true, false] {
        var theirs = try RatchetPeer(peer, listener, theirRole: role, oneTime: oneTime)
        var talk = Talk()
        // Who has not heard anything yet cannot speak.
        try talk.say(1, by: role == .initiator ? .them : .us, &theirs, &random)
        try talk.deliverAll(&theirs, &random)
        for _ in 0..<120 { try talk.round(&theirs, &random) }
        try talk.deliverAll(&theirs, &random)
        #expect(talk.opened.us > 900 && talk.opened.them > 900)
        #expect(talk.lost > 100 && talk.refused > 100 && talk.turns > 50)
        try await theirs.end(peer)
      }
    }
    peer.endInput()
    #expect(try await peer.finish() == 0, "\(peer.report)")
  }

  @Test(.timeLimit(.minutes(1))) func `both pass over as many messages, and no more`() async throws {
    let peer = try Program.python("ratchet_peer.py")
    var theirs = try RatchetPeer(peer, .listening(), theirRole: .initiator, oneTime: true)
    #expect(try theirs.open(theirs.theySeal([0])) == [0])
    #expect(try theirs.theyOpen(theirs.seal([1])) == [1])

    let count = Int(RatchetLimits.skip)
    let ours = try (0...count + 1).map { try theirs.seal([UInt8(truncatingIfNeeded: $0)]) }
    #expect(try theirs.theyOpen(ours[count + 1]) == nil)
    #expect(theirs.refusal == "DoSProtectionException")
    #expect(try theirs.theyOpen(ours[count]) == [UInt8(truncatingIfNeeded: count)])
    for index in [0, count / 2, count - 1] {
      #expect(try theirs.theyOpen(ours[index]) == [UInt8(truncatingIfNeeded: index)])
    }

    let made = try (0...count + 1).map { try theirs.theySeal([UInt8(truncatingIfNeeded: $0)]) }
    #expect(throws: RatchetError.tooFarAhead) { try theirs.open(made[count + 1]) }
    #expect(try theirs.open(made[count]) == [UInt8(truncatingIfNeeded: count)])
    for index in [0, count / 2, count - 1] {
      #expect(try theirs.open(made[index]) == [UInt8(truncatingIfNeeded: index)])
    }
    try await theirs.end(peer)
  }
}

/// What is under way between the two, with everything that may happen to it.
private struct Talk {
  enum Side { case us, them }

  private struct Flight {
    let plaintext: [UInt8]
    let message: [UInt8]
    let round: Int
  }

  private var under: (toUs: [Flight], toThem: [Flight]) = ([], [])
  private var round = 0
  private var lastKeys: Set<[UInt8]> = []
  private(set) var opened = (us: 0, them: 0)
  private(set) var lost = 0
  private(set) var refused = 0
  /// Ratchet keys that were seen.
  var turns: Int { lastKeys.count }

  /// So many messages of one side set out.
  mutating func say(
    _ count: Int, by side: Side, _ peer: inout RatchetPeer, _ random: inout SeededNumbers
  ) throws {
    for _ in 0..<count {
      let plaintext = (0..<Int.random(in: 0...300, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let message = side == .us ? try peer.seal(plaintext) : try peer.theySeal(plaintext)
      lastKeys.insert(Array(message[..<32]))
      let flight = Flight(plaintext: plaintext, message: message, round: round)
      if side == .us { under.toThem.append(flight) } else { under.toUs.append(flight) }
    }
  }

  /// Both say something, and some of what is under way arrives: in any order, some of it changed first, some twice. What
  /// has been under way for three rounds is lost, as is now and then a whole round.
  mutating func round(_ peer: inout RatchetPeer, _ random: inout SeededNumbers) throws {
    round += 1
    let now = round
    try say(Int.random(in: 0...20, using: &random), by: .us, &peer, &random)
    try say(Int.random(in: 0...20, using: &random), by: .them, &peer, &random)
    lost += drop { now - $0.round > 3 }
    if Int.random(in: 0..<10, using: &random) == 0 { lost += drop { now == $0.round } }
    for _ in 0..<Int.random(in: 10...40, using: &random) { try deliverOne(&peer, &random) }
  }

  private mutating func drop(_ isLost: (Flight) -> Bool) -> Int {
    let before = under.toUs.count + under.toThem.count
    under.toUs.removeAll(where: isLost)
    under.toThem.removeAll(where: isLost)
    return before - under.toUs.count - under.toThem.count
  }

  mutating func deliverAll(_ peer: inout RatchetPeer, _ random: inout SeededNumbers) throws {
    while !under.toUs.isEmpty || !under.toThem.isEmpty { try deliverOne(&peer, &random) }
  }

  private mutating func deliverOne(_ peer: inout RatchetPeer, _ random: inout SeededNumbers) throws {
    let isOurs = under.toThem.isEmpty || (!under.toUs.isEmpty && Bool.random(using: &random))
    guard let index = (isOurs ? under.toUs : under.toThem).indices.randomElement(using: &random) else {
      return
    }
    let flight = isOurs ? under.toUs.remove(at: index) : under.toThem.remove(at: index)
    func open(_ message: [UInt8], _ peer: inout RatchetPeer) throws -> [UInt8]? {
      isOurs ? try? peer.open(message) : try peer.theyOpen(message)
    }
    if Int.random(in: 0..<8, using: &random) == 0 {
      // A bit of the ratchet key, of the nonce, the ciphertext or the tag.
      var changed = flight.message
      let place = Int.random(in: 0..<changed.count - 8, using: &random)
      changed[place < 32 ? place : place + 8] ^= 1 << UInt8.random(in: 0..<7, using: &random)
      #expect(try open(changed, &peer) == nil)
      refused += 1
    }
    #expect(try open(flight.message, &peer) == flight.plaintext)
    if isOurs { opened.us += 1 } else { opened.them += 1 }
    guard Int.random(in: 0..<8, using: &random) == 0 else { return }
    #expect(try open(flight.message, &peer) == nil, "opened twice")
    refused += 1
  }
}

/// Numbers that are the same each time.
private struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
