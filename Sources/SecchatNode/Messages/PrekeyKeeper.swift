internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet
internal import SecchatSQLite

/// The private halves of this device's prekeys: made, kept, handed out by their public halves, and deleted after their use.
@LoopActor final class PrekeyKeeper {
  private let store: ProfileStore
  private let secret: SecretIdentity
  private var signed: [UInt32: SignedPrekeyRecord]
  private var oneTime: [UInt32: OneTimePrekeyRecord]

  /// A signed prekey is replaced after a week.
  private static let signedAge: UInt64 = 7 * 86_400
  /// It may begin sessions for a month, for those who have asked the registry and are slow.
  private static let signedLife: UInt64 = 30 * 86_400
  /// One-time prekeys that are kept: what the registry has, and what it has handed out that nobody has used yet.
  private static let kept = 1_000

  init(_ store: ProfileStore, _ secret: SecretIdentity) async throws(NodeError) {
    self.store = store
    self.secret = secret
    (signed, oneTime) = try await store.prekeys()
  }

  // MARK: Opening

  /// The secrets that an initiation names; nil where one of them is gone, or it has been answered before.
  ///
  /// - Parameters:
  ///   - handed: the one-time prekey that was handed out over the link on which it came.
  ///   - now: Unix seconds; a signed prekey begins nothing after its time, also where it has not been deleted yet.
  func secrets(for initiation: Initiation, handed: OneTimePrekeyRecord?, now: UInt64) -> PrekeySecrets? {
    guard let record = signed[initiation.signed], record.expires > now else { return nil }
    guard let id = initiation.oneTime else {
      let isAnswered = record.answered.contains(initiation.ephemeral)
      guard !isAnswered, record.answered.count < SignedPrekeyRecord.answeredLimit else { return nil }
      return PrekeySecrets(signed: record.secret, oneTime: nil)
    }
    let known = handed?.id == id ? handed : oneTime[id]
    return known.map { PrekeySecrets(signed: record.secret, oneTime: $0.secret) }
  }

  /// What an initiation has used up.
  enum Used {
    case oneTime(OneTimePrekeyRecord)
    /// That it may be answered: there was no one-time prekey.
    case answer(InitiationPublicKey, signed: UInt32)
  }

  /// Takes what a message has used out of memory, and has its change take it off the disk.
  ///
  /// - Returns: what it was, to be given back where the change is not written; nil for what was handed out over a link.
  func use(_ initiation: Initiation, in change: inout MessageChange) -> Used? {
    if let id = initiation.oneTime {
      guard let record = oneTime.removeValue(forKey: id) else { return nil }
      unreported.insert(id)
      change.usedPrekeys.append(Int64(id))
      return .oneTime(record)
    }
    guard var record = signed[initiation.signed] else { return nil }
    record.answered.append(initiation.ephemeral)
    signed[initiation.signed] = record
    change.answered[Int64(initiation.signed)] = store.seal(record, initiation.signed)
    return .answer(initiation.ephemeral, signed: initiation.signed)
  }

  /// The change that used it was not written. Everything else is as it has become meanwhile.
  func giveBack(_ used: Used) {
    switch used {
    case .oneTime(let record):
      oneTime[record.id] = record
      unreported.remove(record.id)
    case .answer(let ephemeral, let id): signed[id]?.answered.removeAll { $0 == ephemeral }
    }
  }

  // MARK: Handing out

  /// The signed prekey to hand out now, made anew where the last one is a week old, or has begun very many sessions
  /// alone. Those that may not be used any more are deleted.
  func current(now: UInt64) async throws(NodeError) -> SignedPrekeyRecord {
    let dead = signed.filter { $0.value.expires <= now }.keys
    if let newest = signed.values.max(by: { $0.created < $1.created }), newest.created + Self.signedAge > now,
      newest.answered.count < SignedPrekeyRecord.answeredLimit / 2, dead.isEmpty
    {
      return newest
    }
    let fresh = SignedPrekeyRecord(
      id: newID(), created: now, expires: now + Self.signedLife,
      secret: try made { () throws(CryptoError) in try SignedPrekeySecret(.random(in: .guarded)) })
    let row = (id: Int64(fresh.id), body: store.seal(fresh, fresh.id))
    let rows = dead.map { Int64($0) }
    try await store.write { (database) throws(SQLiteError) in
      for row in rows { try database.run("DELETE FROM prekeys WHERE id = ?", row) }
      try database.run("INSERT INTO prekeys (id, body) VALUES (?, ?)", row.id, row.body)
    }
    for id in dead { signed[id] = nil }
    signed[fresh.id] = fresh
    return fresh
  }

  /// So many new one-time prekeys, durable before anybody hears of them. The oldest go beyond what is kept.
  ///
  /// - Parameter anew: whether they begin a new series, instead of going on with the last; the registry takes ascending ids.
  func make(_ count: Int, anew: Bool, now: UInt64) async throws(NodeError) -> [OneTimePrekey] {
    var last = anew ? nil : oneTime.values.max { ($0.created, $0.id) < ($1.created, $1.id) }?.id
    // Not from 1: a copy of this profile hardly begins with the same numbers. One that goes on with the series that it
    // knows gives numbers again, which the registry does not take again.
    if last.map({ $0 > .max - UInt32(count) }) ?? true { last = UInt32.random(in: 1...UInt32.max / 2) }
    let first = (last ?? 0) + 1
    var fresh: [OneTimePrekeyRecord] = []
    for id in first..<first + UInt32(count) where oneTime[id] == nil && signed[id] == nil {
      fresh.append(
        OneTimePrekeyRecord(
          id: id, created: now,
          secret: try made { () throws(CryptoError) in try OneTimePrekeySecret(.random()) }))
    }
    let surplus = max(0, oneTime.count + count - Self.kept)
    let old = oneTime.values.sorted { $0.created < $1.created }.prefix(surplus).map(\.id)
    let rows = fresh.map { (id: Int64($0.id), body: store.seal($0, $0.id)) }
    let gone = old.map { Int64($0) }
    try await store.write { (database) throws(SQLiteError) in
      for row in gone { try database.run("DELETE FROM prekeys WHERE id = ?", row) }
      for row in rows { try database.run("INSERT INTO prekeys (id, body) VALUES (?, ?)", row.id, row.body) }
    }
    for id in old { oneTime[id] = nil }
    for record in fresh { oneTime[record.id] = record }
    return fresh.map { OneTimePrekey(id: $0.id, key: $0.secret.privateKey.publicKey) }.sorted {
      $0.id < $1.id
    }
  }

  /// What a peer is told who asks over a link: a one-time prekey for that link alone, which nobody keeps. Asking for many
  /// costs neither the disk nor those that the registry has.
  func offer(
    as account: Account, now: UInt64
  ) async throws(NodeError) -> (offer: PrekeyOffer, oneTime: OneTimePrekeyRecord) {
    let signed = try await current(now: now)
    let oneTime = OneTimePrekeyRecord(
      id: newID(), created: now,
      secret: try made { () throws(CryptoError) in try OneTimePrekeySecret(.random()) })
    let offer = PrekeyOffer(
      signed: signed.signed(as: account, secret),
      oneTime: OneTimePrekey(id: oneTime.id, key: oneTime.secret.privateKey.publicKey))
    return (offer, oneTime)
  }

  /// One-time prekeys that have had their use and of which the registry has not been told. They are not kept on disk: after
  /// a restart whoever is given one again, within the hour, resets it.
  private var unreported: Set<UInt32> = []

  /// What is to be reported: so many at a time as the registry takes.
  var toReport: Set<UInt32> { Set(unreported.prefix(Limits.oneTimePrekeys)) }

  /// The registry has been told of these.
  func reported(_ ids: Set<UInt32>) { unreported.subtract(ids) }

  /// Whether this device made the signed prekey of that id.
  func has(signed id: UInt32) -> Bool { signed[id] != nil }

  /// Numbers that a copy of this profile has hardly given to another key.
  private func newID() -> UInt32 {
    while true {
      let id = UInt32.random(in: 1...UInt32.max)
      if signed[id] == nil, oneTime[id] == nil { return id }
    }
  }

  private func made<Secret>(_ make: () throws(CryptoError) -> Secret) throws(NodeError) -> Secret {
    do throws(CryptoError) { return try make() } catch {
      throw NodeError(.internal, "the keys could not be made: out of memory")
    }
  }
}
