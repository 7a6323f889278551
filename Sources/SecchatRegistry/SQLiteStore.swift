package import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite

/// Accounts and prekeys in one SQLite file. Claims and all that concerns prekeys run one after another on a thread of their
/// own and share a flush to the disk; look-ups have another thread, so that they never wait for the disk to write.
package final class SQLiteStore: RegistryStore {
  /// `SREG` in a file's header tells what it is.
  private static let applicationID: Int32 = 0x5352_4547
  private static let schemaVersion: Int32 = 2

  private let writer: DatabaseQueue
  private let reader: DatabaseQueue

  /// Opens the file at `path` or makes it. `maximumPages` bounds its size, to see what a full disk does.
  package init(path: String, maximumPages: Int? = nil) throws(StoreError) {
    var refusal: StoreError?
    do throws(SQLiteError) {
      writer = try DatabaseQueue(path: path, options: .init(maximumPages: maximumPages)) {
        (database) throws(SQLiteError) in
        refusal = try Self.prepare(database)
        // Ends the opening; the refusal says why.
        if refusal != nil { throw .cannotOpen }
      }
      reader = try DatabaseQueue(path: path, options: .init(readOnly: true))
    } catch {
      throw refusal ?? StoreError(error)
    }
  }

  /// Makes the tables of a new file and checks an old one; says why it may not be used.
  private static func prepare(_ database: Database) throws(SQLiteError) -> StoreError? {
    switch (try database.applicationID(), try database.userVersion()) {
    case (0, 0):
      let tables = try database.first("SELECT count(*) FROM sqlite_schema") {
        (row: borrowing Row) throws(SQLiteError) in try row.integer(0)
      }
      guard tables == 0 else { return .foreign }
      try database.transaction { () throws(SQLiteError) in
        // The identity stands beside the list that names it so that a claim need not read the list.
        try database.run(
          """
          CREATE TABLE account (
            name TEXT NOT NULL PRIMARY KEY,
            identity BLOB NOT NULL CHECK (length(identity) = 32),
            version INTEGER NOT NULL,
            list BLOB NOT NULL
          ) STRICT, WITHOUT ROWID
          """)
        try SQLitePrekeys.createTables(in: database)
        try database.setApplicationID(applicationID)
        try database.setUserVersion(schemaVersion)
      }
    case (applicationID, schemaVersion): try database.quickCheck()
    case (applicationID, 1):
      try database.quickCheck()
      try database.transaction { () throws(SQLiteError) in
        try SQLitePrekeys.createTables(in: database)
        try database.setUserVersion(schemaVersion)
      }
    case (applicationID, schemaVersion...): return .newer
    case (applicationID, _): return .damaged
    default: return .foreign
    }
    return nil
  }

  // MARK: Accounts

  package func account(named name: UserName) async throws(StoreError) -> StoredAccount? {
    do throws(SQLiteError) {
      // Verified on the reader's thread: the caller's is the loop.
      return try await reader.read { (database) throws(SQLiteError) in try Self.account(name, in: database) }
    } catch {
      throw StoreError(error)
    }
  }

  private static func account(_ name: UserName, in database: Database) throws(SQLiteError) -> StoredAccount? {
    let bytes = try database.first("SELECT list FROM account WHERE name = ?", name.text) {
      (row: borrowing Row) throws(SQLiteError) in try row.blob(0)
    }
    guard let bytes else { return nil }
    guard let list = try? SignedDeviceList(verifying: bytes.raw), list.list.account.name == name else {
      throw .corrupt
    }
    return StoredAccount(list)
  }

  package func claim(_ account: StoredAccount) async throws(StoreError) -> ClaimOutcome {
    do throws(SQLiteError) {
      return try await writer.write { (database) throws(SQLiteError) in
        try Self.claim(account, in: database)
      }
    } catch {
      throw StoreError(error)
    }
  }

  private static func claim(
    _ account: StoredAccount, in database: Database
  ) throws(SQLiteError) -> ClaimOutcome {
    let name = account.name.text
    let identity = account.identity.raw.array
    let list = account.list
    // Versions are kept as their bits; no honest list comes near the sign.
    let version = Int64(bitPattern: account.version)
    let held = try database.first("SELECT identity, version, list FROM account WHERE name = ?", name) {
      (row: borrowing Row) throws(SQLiteError) in
      (identity: try row.blob(0), version: UInt64(bitPattern: try row.integer(1)), list: try row.blob(2))
    }
    guard let held else {
      try database.run("INSERT INTO account VALUES (?, ?, ?, ?)", name, identity, version, list.encoded)
      return .claimed
    }
    guard held.identity == identity else { return .taken }
    guard account.version > held.version else {
      guard let known = try? SignedDeviceList(verifying: held.list.raw) else { throw .corrupt }
      return known == list ? .already : .outdated
    }
    try database.run("UPDATE account SET version = ?, list = ? WHERE name = ?", version, list.encoded, name)
    guard let old = try? SignedDeviceList(verifying: held.list.raw) else { throw .corrupt }
    for device in old.list.devices where list.list.device(device.id)?.signing != device.signing {
      try SQLitePrekeys.drop(PrekeyOwner(name: account.name, device: device.id), in: database)
    }
    return .updated
  }

  // MARK: Prekeys

  package func publish(
    _ message: Publish, of owner: PrekeyOwner, now: UInt64
  ) async throws(StoreError) -> PublishOutcome {
    do throws(SQLiteError) {
      return try await writer.write { (database) throws(SQLiteError) in
        // By the list that is there when this is written: a newer one may have come since it was asked for.
        guard let account = try Self.account(owner.name, in: database)?.list.list,
          let device = account.device(owner.device),
          message.signed.map({ $0.isSigned(by: device, of: account.account) }) ?? true
        else { return .refused }
        return try SQLitePrekeys.publish(message, of: owner, now: now, in: database)
      }
    } catch {
      throw StoreError(error)
    }
  }

  package func prekeys(for order: PrekeyOrder, now: UInt64) async throws(StoreError) -> PrekeyOutcome {
    do throws(SQLiteError) {
      return try await writer.write { (database) throws(SQLiteError) in
        try SQLitePrekeys.take(order, now: now, in: database)
      }
    } catch {
      throw StoreError(error)
    }
  }

  package func forgetPrekeys(now: UInt64) async throws(StoreError) -> Bool {
    do throws(SQLiteError) {
      return try await writer.write { (database) throws(SQLiteError) in
        try SQLitePrekeys.forget(now: now, in: database)
      }
    } catch {
      throw StoreError(error)
    }
  }

  package func close() async {
    await reader.close()
    // Last, so that the log is folded into the file.
    await writer.close()
  }
}

extension StoreError {
  fileprivate init(_ error: SQLiteError) {
    self =
      switch error {
      case .corrupt: .damaged
      case .full: .full
      case .busy, .readOnly, .cannotOpen, .constraint, .other: .unavailable(error.description)
      }
  }
}
