internal import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite

/// The prekeys in the registry's database. Each function runs in one transaction, on the writer's thread.
enum SQLitePrekeys {
  /// So many rows are forgotten in one transaction, so that claims need not wait long.
  private static let forgottenAtOnce = 500

  static func createTables(in database: Database) throws(SQLiteError) {
    // `highest` is the highest id ever taken: no id, and so no key, is taken twice, not even when it is long used.
    try database.run(
      """
      CREATE TABLE prekey_device (
        id INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        device INTEGER NOT NULL,
        highest INTEGER NOT NULL,
        signed BLOB CHECK (length(signed) = 108),
        UNIQUE (name, device)
      ) STRICT
      """)
    // What is handed out keeps its row: for who comes back for it, for the count of the hour, for a RESET.
    try database.run(
      """
      CREATE TABLE prekey (
        owner INTEGER NOT NULL REFERENCES prekey_device ON DELETE CASCADE,
        id INTEGER NOT NULL,
        key BLOB NOT NULL CHECK (length(key) = 32),
        requester TEXT,
        handed INTEGER,
        spent INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (owner, id)
      ) STRICT, WITHOUT ROWID
      """)
    try database.run("CREATE INDEX prekey_free ON prekey (owner, id) WHERE handed IS NULL")
    try database.run("CREATE INDEX prekey_handed ON prekey (owner, handed) WHERE handed IS NOT NULL")
    try database.run("CREATE INDEX prekey_age ON prekey (spent, handed) WHERE handed IS NOT NULL")
  }

  private struct DeviceRow {
    let id: Int64
    let highest: UInt32
    let signed: SignedPrekey?
  }

  private static func device(_ owner: PrekeyOwner, in database: Database) throws(SQLiteError) -> DeviceRow? {
    let found = try database.first(
      "SELECT id, highest, signed FROM prekey_device WHERE name = ? AND device = ?", owner.name.text,
      owner.device
    ) { (row: borrowing Row) throws(SQLiteError) in
      (try row.integer(0), try row.integer(1, as: UInt32.self), try row.optionalBlob(2))
    }
    guard let found else { return nil }
    return DeviceRow(
      id: found.0, highest: found.1,
      signed: try found.2.map { (bytes) throws(SQLiteError) in
        var reader = WireReader(bytes.raw)
        guard let signed = try? SignedPrekey(from: &reader) else { throw .corrupt }
        return signed
      })
  }

  private static func left(of device: Int64, in database: Database) throws(SQLiteError) -> Int {
    try database.first(
      "SELECT count(*) FROM prekey INDEXED BY prekey_free WHERE owner = ? AND handed IS NULL", device
    ) {
      (row: borrowing Row) throws(SQLiteError) in try row.integer(0, as: Int.self)
    } ?? 0
  }

  static func drop(_ owner: PrekeyOwner, in database: Database) throws(SQLiteError) {
    try database.run(
      "DELETE FROM prekey_device WHERE name = ? AND device = ?", owner.name.text, owner.device)
  }

  // MARK: Publishing

  /// The caller has checked who publishes.
  static func publish(
    _ message: Publish, of owner: PrekeyOwner, now: UInt64, in database: Database
  ) throws(SQLiteError) -> PublishOutcome {
    let held = message.replace ? nil : try device(owner, in: database)
    var left = 0
    if let held {
      left = try self.left(of: held.id, in: database)
      for id in message.used where try isFree(id, of: held.id, in: database) { left -= 1 }
    }
    var new: [OneTimePrekey] = []
    for key in message.keys {
      guard let held, key.id <= held.highest else {
        new.append(key)
        continue
      }
      // Sent again after an answer was lost. One that has gone since does not come back.
      let known = try database.first("SELECT key FROM prekey WHERE owner = ? AND id = ?", held.id, key.id) {
        (row: borrowing Row) throws(SQLiteError) in try row.blob(0)
      }
      guard known == nil || known == key.key.raw.array else { return .refused }
    }
    left += new.count
    guard left <= Limits.oneTimePrekeys else { return .tooMany }

    if message.replace { try drop(owner, in: database) }
    guard held != nil || message.signed != nil || !new.isEmpty else { return .published(signed: 0, left: 0) }
    let highest = max(held?.highest ?? 0, new.last?.id ?? 0)
    let signed = message.signed ?? held?.signed
    let device = try keep(signed, highest, of: owner, in: database)
    try markUsed(message.used, of: device, now: now, in: database)
    for key in new {
      try database.run(
        "INSERT INTO prekey (owner, id, key) VALUES (?, ?, ?)", device, key.id, key.key.raw.array)
    }
    if !new.isEmpty { try forgetSurplus(of: device, in: database) }
    return .published(signed: signed?.id ?? 0, left: left)
  }

  private static func isFree(_ id: UInt32, of device: Int64, in database: Database) throws(SQLiteError)
    -> Bool
  {
    try database.first("SELECT 1 FROM prekey WHERE owner = ? AND id = ? AND handed IS NULL", device, id) {
      (_: borrowing Row) throws(SQLiteError) in true
    } ?? false
  }

  private static func keep(
    _ signed: SignedPrekey?, _ highest: UInt32, of owner: PrekeyOwner, in database: Database
  ) throws(SQLiteError) -> Int64 {
    let bytes = signed.map { signed in
      var writer = WireWriter(capacity: SignedPrekey.length)
      signed.encode(into: &writer)
      return writer.bytes
    }
    let id = try database.first(
      """
      INSERT INTO prekey_device (name, device, highest, signed) VALUES (?, ?, ?, ?)
      ON CONFLICT (name, device) DO UPDATE SET highest = excluded.highest, signed = excluded.signed
      RETURNING id
      """, owner.name.text, owner.device, highest, bytes
    ) { (row: borrowing Row) throws(SQLiteError) in try row.integer(0) }
    guard let id else { throw .corrupt }
    return id
  }

  /// What was handed out keeps its row while it counts: to use prekeys up fast must not raise the rate.
  private static func markUsed(
    _ ids: [UInt32], of device: Int64, now: UInt64, in database: Database
  ) throws(SQLiteError) {
    for id in ids {
      try database.run(
        "UPDATE prekey SET spent = 1 WHERE owner = ? AND id = ? AND handed IS NOT NULL", device, id)
      try database.run("DELETE FROM prekey WHERE owner = ? AND id = ? AND handed IS NULL", device, id)
    }
  }

  // MARK: Handing out

  static func take(
    _ order: PrekeyOrder, now: UInt64, in database: Database
  ) throws(SQLiteError) -> PrekeyOutcome {
    guard let device = try device(order.owner, in: database), let signed = device.signed, signed.expires > now
    else { return .none }
    if let failed = order.failed {
      // As if its owner had reported it used.
      try database.run(
        "UPDATE prekey SET spent = 1 WHERE owner = ? AND id = ? AND requester = ?", device.id, failed,
        order.requester.text)
      guard database.changes > 0 else { return .badReset }
    }
    let hour = try lastHour(of: device.id, for: order.requester, now: now, in: database)
    if let same = hour.same { return .offer(PrekeyOffer(signed: signed, oneTime: same)) }
    guard order.mayHaveNew, hour.count < order.limits.perDevice, hour.own < order.limits.perRequester,
      let new = try handOut(of: device.id, to: order.requester, now: now, in: database)
    else { return .offer(PrekeyOffer(signed: signed, oneTime: nil)) }
    return .handedOut(
      PrekeyOffer(signed: signed, oneTime: new), left: try left(of: device.id, in: database))
  }

  /// How many were handed out, how many of them to the requester, and what it was given last where that is still good.
  /// A clock that was set back counts what lies up to an hour ahead of it.
  private static func lastHour(
    of device: Int64, for requester: UserName, now: UInt64, in database: Database
  ) throws(SQLiteError) -> (count: Int, own: Int, same: OneTimePrekey?) {
    var result = (count: 0, own: 0, same: nil as OneTimePrekey?)
    let now = seconds(now)
    let hour = seconds(PrekeyMemory.hour)
    try database.forEach(
      "SELECT id, key, requester, spent FROM prekey WHERE owner = ? AND handed > ? AND handed < ? ORDER BY handed",
      device, now - hour, now + hour
    ) { (row: borrowing Row) throws(SQLiteError) in
      result.count += 1
      guard try row.text(2) == requester.text else { return true }
      result.own += 1
      if try !row.bool(3) { result.same = try prekey(row) }
      return true
    }
    return result
  }

  /// The one that has lain there longest.
  private static func handOut(
    of device: Int64, to requester: UserName, now: UInt64, in database: Database
  ) throws(SQLiteError) -> OneTimePrekey? {
    let new = try database.first(
      "SELECT id, key FROM prekey INDEXED BY prekey_free WHERE owner = ? AND handed IS NULL ORDER BY id LIMIT 1",
      device
    ) { (row: borrowing Row) throws(SQLiteError) in try prekey(row) }
    guard let new else { return nil }
    try database.run(
      "UPDATE prekey SET requester = ?, handed = ? WHERE owner = ? AND id = ?", requester.text, seconds(now),
      device, new.id)
    return new
  }

  private static func prekey(_ row: borrowing Row) throws(SQLiteError) -> OneTimePrekey {
    guard let key = FixedBytes<32>(try row.blob(1)) else { throw .corrupt }
    return OneTimePrekey(id: try row.integer(0, as: UInt32.self), key: OneTimePrekeyKey(key))
  }

  // MARK: Forgetting

  /// Of what was handed out, the newest stay.
  private static func forgetSurplus(of device: Int64, in database: Database) throws(SQLiteError) {
    try database.run(
      """
      DELETE FROM prekey WHERE owner = ?1 AND id IN (
        SELECT id FROM prekey WHERE owner = ?1 AND handed IS NOT NULL
        ORDER BY handed DESC, id DESC LIMIT -1 OFFSET ?2)
      """, device, PrekeyMemory.perDevice)
  }

  /// What is used goes when it no longer counts, what is not when nobody will come with it any more.
  static func forget(now: UInt64, in database: Database) throws(SQLiteError) -> Bool {
    var isMore = false
    for (spent, life) in [(true, PrekeyMemory.hour), (false, PrekeyMemory.unused)] {
      let now = seconds(now)
      let life = seconds(life)
      // From the future, where the clock was wrong, as well.
      for (from, to) in [(0, now - life), (now + life, Int64.max)] where from < to {
        try database.run(
          """
          DELETE FROM prekey WHERE (owner, id) IN (
            SELECT owner, id FROM prekey WHERE spent = ? AND handed >= ? AND handed <= ? LIMIT ?)
          """, spent, from, to, forgottenAtOnce)
        isMore = isMore || database.changes == forgottenAtOnce
      }
    }
    return isMore
  }

  /// Times as SQLite keeps them; no honest clock comes near the bound.
  private static func seconds(_ time: UInt64) -> Int64 { Int64(min(time, 1 << 40)) }
}
