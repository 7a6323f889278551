import SecchatCore
import TestSupport
import Testing

/// Users who do everything at random, for so many steps; the same for the same seed but for the keys.
final class SimulatedWorld {
  let users: [SimulatedUser]
  private var random: SplitMix
  /// Those that stand, and those from which something still comes; the newest last.
  private var links: [Link] = []
  private var made = 0
  /// The link that is sent on.
  private var current: [Pair: Link] = [:]
  private var queued: [Pair: [String]] = [:]
  private(set) var delivered = 0
  /// Frames that came over a link although their sender was on another already.
  private(set) var late = 0

  /// From whom to whom.
  struct Pair: Hashable {
    let from: Int
    let to: Int
    var back: Pair { Pair(from: to, to: from) }
  }

  /// What is under way between two users, in order in each direction. Of several links between the same two each is as
  /// slow as it likes.
  private final class Link {
    let number: Int
    let pair: Pair
    /// Once it is down, what was sent before may come still, and nothing more is sent.
    var isUp = true
    var frames: [Pair: [SimulatedUser.Frame]] = [:]
    /// What somebody has recorded, to play it again.
    var recorded: [Pair: [SimulatedUser.Frame]] = [:]

    init(_ number: Int, _ pair: Pair) {
      self.number = number
      self.pair = pair
    }

    func joins(_ pair: Pair) -> Bool { pair == self.pair || pair == self.pair.back }
    func bears(_ pair: Pair) -> Bool { !frames[pair, default: []].isEmpty }
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
    case 58..<93: try receive(pair)
    case 93: redial(pair)
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

  /// Sends on the newest link of which this side knows; it takes each side a while to turn to another.
  private func send(_ pair: Pair) throws {
    guard let newest = links.last(where: { $0.joins(pair) && $0.isUp }) else { return redial(pair) }
    let isSlow = current[pair]?.isUp ?? false
    if current[pair] !== newest, !isSlow || Int.random(in: 0..<8, using: &random) == 0 {
      turn(pair, to: newest)
    }
    do {
      let frame = try users[pair.from].next(for: users[pair.to], crashing: crashes, &random)
      if let frame { push(frame, pair) }
    } catch is SimulatedUser.Crash { restart(pair.from) }
  }

  private func push(_ frame: SimulatedUser.Frame, _ pair: Pair) {
    guard let link = current[pair] else { return }
    link.frames[pair, default: []].append(frame)
    if link.recorded[pair, default: []].count < 8 { link.recorded[pair, default: []].append(frame) }
  }

  private func receive(_ pair: Pair) throws {
    do { _ = try deliver(pair, crashing: crashes) } catch is SimulatedUser.Crash { restart(pair.to) }
  }

  /// Carries the first frame of any link over; whether there was one.
  private func deliver(_ pair: Pair, crashing: Bool) throws -> Bool {
    guard let link = links.filter({ $0.bears(pair) }).randomElement(using: &random),
      let frame = link.frames[pair]?.removeFirst()
    else { return false }
    if current[pair] !== link { late += 1 }
    defer { links.removeAll { !$0.isUp && !$0.bears(pair) && !$0.bears(pair.back) } }
    let answer = try users[pair.to].take(
      frame, from: users[pair.from].party, over: link.number, crashing: crashing, &random)
    if let answer, link.isUp { link.frames[pair.back, default: []].append(answer) }
    return true
  }

  /// Much at once, so that windows fill and directions turn.
  private func flood(_ pair: Pair) throws {
    for _ in 0..<8 { queue(pair) }
    for _ in 0..<8 { try send(pair) }
  }

  /// A message that has been seen comes again.
  private func replay(_ pair: Pair) {
    guard let link = links.filter({ $0.joins(pair) && $0.isUp }).randomElement(using: &random) else { return }
    let chats = link.recorded[pair, default: []].filter { if case .chat = $0 { true } else { false } }
    if let frame = chats.randomElement(using: &random) { link.frames[pair, default: []].append(frame) }
  }

  /// Another link beside those that there are; the other side turns to it later.
  private func redial(_ pair: Pair) {
    made += 1
    links.append(Link(made, pair))
    for pair in [pair, pair.back] { users[pair.from].linkOpened(users[pair.to].account, made) }
    turn(pair, to: links[links.count - 1])
  }

  private func turn(_ pair: Pair, to link: Link) {
    current[pair] = link
    users[pair.from].linkChanged(users[pair.to].account, to: link.number)
  }

  /// The newest link goes down; what was under way is lost, or comes still.
  private func cut(_ pair: Pair) {
    if let link = links.last(where: { $0.joins(pair) && $0.isUp }) { down(link) }
  }

  private func down(_ link: Link) {
    link.isUp = false
    for pair in [link.pair, link.pair.back] {
      if Bool.random(using: &random) { link.frames[pair] = nil }
    }
  }

  private func restart(_ user: Int) {
    users[user].restart()
    for link in links where link.pair.from == user || link.pair.to == user {
      down(link)
      link.frames[link.pair.to == user ? link.pair : link.pair.back] = nil
    }
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
          let newest = links.last { $0.joins(pair) && $0.isUp }
          if let newest {
            if current[pair] !== newest { turn(pair, to: newest) }
          } else {
            redial(pair)
          }
          if let frame = try users[from].next(for: users[to], crashing: false, &random) {
            push(frame, pair)
            moved = true
          }
          while try deliver(pair, crashing: false) { moved = true }
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
