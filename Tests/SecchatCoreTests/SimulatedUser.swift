import SecchatCore
import SecchatCrypto
import TestSupport

/// Numbers that are the same for the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// One user of a simulation: what is on the disk survives a crash, the rest does not.
final class SimulatedUser {
  struct Disk {
    var correspondences: [Account: [UInt8]] = [:]
    var outbox: [Account: [Message]] = [:]
    var inbox: [Account: [Message]] = [:]
    /// Ids by which a message is known that comes again.
    var known: [Account: Set<MessageID>] = [:]
    var oneTime: [UInt32: OneTimePrekeySecret] = [:]
    var answered: Set<InitiationPublicKey> = []
  }

  /// What travels on a link.
  enum Frame {
    case chat(Chat)
    case ack(MessageID)
    case refuse(MessageID, Refuse.Reason)
  }

  /// A crash: what was not on the disk is gone.
  struct Crash: Error {}

  let secret: SecretIdentity
  let account: Account
  let party: Party
  private let signed: SignedPrekeySecret
  private(set) var disk = Disk()

  private var correspondences: [Account: Correspondence] = [:]
  private var dispatches: [Account: Dispatch] = [:]
  private var turnstiles: [Landing: Turnstile] = [:]
  /// How many of the outbox are on their way.
  private var cursors: [Account: Int] = [:]
  /// The link that is sent on.
  private var links: [Account: Int] = [:]
  /// A one-time prekey that a peer did not know.
  private var failedPrekeys: [Account: UInt32] = [:]

  /// Where messages of a peer arrive.
  private struct Landing: Hashable {
    let peer: Account
    let link: Int
  }

  /// What the registry has of this user's prekeys; it is on no disk of his.
  private(set) var shelf = PrekeyShelf()

  private(set) var news: [Correspondence.News] = []
  /// Every place of a ratchet that sealed something.
  private(set) var keysUsed: Set<Place> = []
  private(set) var keysUsedTwice = 0

  struct Place: Hashable {
    let session: SessionID
    let header: RatchetHeader
  }

  init(_ name: String, registry: LinkPublicKey) throws {
    secret = try SecretIdentity.generate(now: 1)
    account = Account(name: must(UserName(name)), registry: registry)
    party = Party(secret, account: account)
    signed = SignedPrekeySecret(try .random())
  }

  // MARK: The disk

  func restart() {
    correspondences = [:]
    dispatches = [:]
    turnstiles = [:]
    cursors = [:]
    links = [:]
    failedPrekeys = [:]
  }

  /// Puts an older disk in place of this one; what was queued since stays, for nobody has seen it leave.
  func restore(_ older: Disk) {
    disk = older
    restart()
  }

  private func correspondence(_ peer: Account) -> Correspondence {
    if let known = correspondences[peer] { return known }
    guard let bytes = disk.correspondences[peer] else { return Correspondence() }
    return must(try Correspondence(decoding: bytes.raw))
  }

  private func keep(_ correspondence: Correspondence, _ peer: Account, onDisk: Bool = true) {
    correspondences[peer] = correspondence
    if onDisk { disk.correspondences[peer] = correspondence.encoded.withBytes { $0.array } }
  }

  // MARK: Prekeys

  /// What the registry hands out for those who begin with this user.
  ///
  /// - Parameter failed: the one-time prekey that the asker was given and that is unknown here.
  func bundle(for asker: Account, failed: UInt32? = nil, _ random: inout SplitMix) -> PrekeyBundle {
    if shelf.isBare {
      for _ in 0..<PrekeyShelf.size {
        let secret = must(try OneTimePrekeySecret(.random()))
        let id = UInt32.random(in: 1...UInt32.max, using: &random)
        disk.oneTime[id] = secret
        shelf.put(OneTimePrekey(id: id, key: secret.privateKey.publicKey))
      }
    }
    let offer = PrekeyOffer(
      signed: SignedPrekey(
        signing: signed.privateKey.publicKey, id: 1, expires: .max, for: account, device: secret.device,
        with: secret.signing),
      oneTime: shelf.take(for: asker, failed: failed, &random))
    let list = must(secret.firstDeviceList(for: account)).list
    return must(try PrekeyBundle(verifying: offer, of: secret.device, on: list, now: 0))
  }

  /// Whether the registry hears of used prekeys, and has any left: by chance else.
  func arrangePrekeys(isToldOfUse: Bool? = nil, hasAny: Bool? = nil) {
    shelf.isToldOfUse = isToldOfUse
    shelf.hasAny = hasAny
  }

  private func secrets(_ initiation: Initiation) -> PrekeySecrets? {
    guard initiation.signed == 1 else { return nil }
    guard let id = initiation.oneTime else {
      return disk.answered.contains(initiation.ephemeral) ? nil : PrekeySecrets(signed: signed, oneTime: nil)
    }
    return disk.oneTime[id].map { PrekeySecrets(signed: signed, oneTime: $0) }
  }

  // MARK: Sending

  func queue(_ text: String, to peer: Account) {
    let message = Message(id: Random.bytes(), sent: 1, body: .text(text))
    disk.outbox[peer, default: []].append(message)
  }

  /// A link to a peer is there.
  func linkOpened(_ peer: Account, _ link: Int) { turnstiles[Landing(peer: peer, link: link)] = Turnstile() }

  /// What is sent to a peer goes over another link from now on.
  func linkChanged(_ peer: Account, to link: Int) {
    links[peer] = link
    dispatches[peer] = nil
    cursors[peer] = nil
    guard var correspondence = correspondences[peer] else { return }
    correspondence.rewind()
    correspondences[peer] = correspondence
  }

  /// The next frame for a peer, where there is something to say.
  func next(for peer: SimulatedUser, crashing: Bool, _ random: inout SplitMix) throws -> Frame? {
    let account = peer.account
    var dispatch = dispatches[account] ?? Dispatch()
    let cursor = cursors[account, default: 0]
    let outbox = disk.outbox[account, default: []]
    guard dispatch.isOpen, cursor < outbox.count else { return nil }
    var correspondence = correspondence(account)
    if correspondence.needsBundle {
      let bundle = peer.bundle(for: self.account, failed: failedPrekeys[account], &random)
      try correspondence.begin(with: bundle, as: party, secret)
    }
    let message = outbox[cursor]
    let sealed = try correspondence.seal(message)
    if crashing, Bool.random(using: &random) { throw Crash() }
    keep(correspondence, account)
    note(sealed.envelope)
    if crashing { throw Crash() }
    let first = dispatch.isIdle
    dispatch.send(message.id, sealed)
    dispatches[account] = dispatch
    cursors[account] = cursor + 1
    return .chat(Chat(id: message.id, first: first, envelope: sealed.envelope))
  }

  private func note(_ envelope: Envelope) {
    let place = Place(session: envelope.session, header: envelope.header)
    if !keysUsed.insert(place).inserted { keysUsedTwice += 1 }
  }

  // MARK: Receiving

  /// Forgets which messages have come, as a client does after some thousands.
  func forgetIDs(of peer: Account) { disk.known[peer] = nil }

  /// Takes a frame; the answer, where there is one. Answers count on the link that is sent on.
  func take(
    _ frame: Frame, from peer: Party, over link: Int = 0, crashing: Bool, _ random: inout SplitMix
  ) throws -> Frame? {
    if case .chat(let chat) = frame {
      return try take(chat, from: peer, over: link, crashing: crashing, &random)
    }
    guard links[peer.account, default: 0] == link else { return nil }
    switch frame {
    case .chat: return nil
    case .ack(let id):
      var dispatch = dispatches[peer.account] ?? Dispatch()
      let confirmed = dispatch.acknowledge(id)
      dispatches[peer.account] = dispatch
      guard !confirmed.isEmpty else {
        settle(peer.account)
        return nil
      }
      if crashing { throw Crash() }
      failedPrekeys[peer.account] = nil
      var correspondence = correspondence(peer.account)
      for one in confirmed { correspondence.confirm(one.sealed) }
      disk.outbox[peer.account]?.removeFirst(confirmed.count)
      cursors[peer.account, default: 0] -= confirmed.count
      keep(correspondence, peer.account)
      settle(peer.account)
      return nil
    case .refuse(let id, let reason):
      var dispatch = dispatches[peer.account] ?? Dispatch()
      _ = dispatch.refuse(id, reason)
      dispatches[peer.account] = dispatch
      settle(peer.account)
      return nil
    }
  }

  private func settle(_ peer: Account) {
    guard var dispatch = dispatches[peer], let refusal = dispatch.settle() else { return }
    dispatches[peer] = dispatch
    var correspondence = correspondence(peer)
    if refusal.reason == .undecryptable || refusal.reason == .unknownPrekey {
      if refusal.reason == .unknownPrekey {
        failedPrekeys[peer] = correspondence.oneTimePrekey(of: refusal.session)
      }
      if correspondence.abandon(refusal.session) { news.append(.reset) }
    }
    correspondence.rewind()
    cursors[peer] = 0
    keep(correspondence, peer)
  }

  private func take(
    _ chat: Chat, from peer: Party, over link: Int, crashing: Bool, _ random: inout SplitMix
  ) throws -> Frame? {
    let landing = Landing(peer: peer.account, link: link)
    var turnstile = turnstiles[landing] ?? Turnstile()
    defer { turnstiles[landing] = turnstile }
    if disk.known[peer.account]?.contains(chat.id) ?? false { return .ack(chat.id) }
    guard turnstile.admits(first: chat.first) else { return .refuse(chat.id, .outOfTurn) }
    for other in turnstiles.keys where chat.first && other.peer == peer.account && other != landing {
      turnstiles[other]?.refuse()
    }
    var correspondence = correspondence(peer.account)
    let opened: Correspondence.Opened
    do throws(Correspondence.Failure) {
      opened = try correspondence.open(chat.envelope, from: peer, as: party, secret, prekeys: secrets)
    } catch {
      turnstile.refuse()
      switch error {
      case .undecryptable: return .refuse(chat.id, .undecryptable)
      case .unknownPrekey: return .refuse(chat.id, .unknownPrekey)
      case .malformed: return .refuse(chat.id, .declined)
      }
    }
    guard opened.content.message.id == chat.id else { preconditionFailure("another message than announced") }
    if crashing, Bool.random(using: &random) { throw Crash() }
    if let initiation = opened.begun {
      if let id = initiation.oneTime {
        disk.oneTime[id] = nil
        shelf.note(used: id)
      } else {
        disk.answered.insert(initiation.ephemeral)
      }
    }
    disk.inbox[peer.account, default: []].append(opened.content.message)
    disk.known[peer.account, default: []].insert(chat.id)
    keep(correspondence, peer.account)
    news += opened.news
    if crashing { throw Crash() }
    return .ack(chat.id)
  }
}
