internal import FoundationEssentials
internal import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite

/// The profile's database: every row sealed under the storage key, with the table and the row's id as associated data,
/// so that a row cannot be moved.
final class ProfileStore: Sendable {
  let queue: DatabaseQueue
  private let secret: SecretIdentity

  /// "SCP1": tells a profile from any other database.
  private static let applicationID: Int32 = 0x5343_5031
  private static let schemaVersion: Int32 = 2

  init(_ folder: ProfileFolder, _ secret: SecretIdentity) throws(NodeError) {
    self.secret = secret
    do throws(SQLiteError) {
      queue = try DatabaseQueue(path: folder.databasePath, prepare: Self.prepare)
    } catch { throw Self.error(error) }
  }

  /// Makes the tables of a new file and checks an old one; what is another program's is left as it is.
  private static func prepare(_ database: Database) throws(SQLiteError) {
    switch (try database.applicationID(), try database.userVersion()) {
    case (0, 0):
      let tables = try database.first("SELECT count(*) FROM sqlite_schema") {
        (row: borrowing Row) throws(SQLiteError) in try row.integer(0)
      }
      guard tables == 0 else { throw .other(foreign) }
      try database.transaction { () throws(SQLiteError) in
        try database.run(
          "CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL) STRICT")
        try database.run("CREATE TABLE contacts (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
        try createVersion2(database)
        try database.setApplicationID(applicationID)
        try database.setUserVersion(schemaVersion)
      }
    case (applicationID, 1):
      try database.quickCheck()
      try database.transaction { () throws(SQLiteError) in
        try createVersion2(database)
        try database.setUserVersion(schemaVersion)
      }
    case (applicationID, schemaVersion): try database.quickCheck()
    case (applicationID, schemaVersion...): throw .other(newer)
    case (applicationID, _): throw .corrupt
    default: throw .other(foreign)
    }
  }

  /// What version 1 did not have.
  private static func createVersion2(_ database: Database) throws(SQLiteError) {
    try createMessages(database)
    try createTransfers(database)
  }

  /// Stand for "made by a later version" and "another program's" among SQLite's own codes, which are positive.
  private static let newer: Int32 = -1
  private static let foreign: Int32 = -2

  static let damaged = error(.corrupt)
  static let full = error(.full)

  static func error(_ error: SQLiteError) -> NodeError {
    switch error {
    case .full: NodeError(.internal, "the disk is full", hint: "make room and try again")
    case .readOnly, .cannotOpen:
      NodeError(
        .usage, "the profile's database cannot be written", hint: "check the folder's owner and mode")
    case .corrupt, .constraint:
      NodeError(
        .integrity, "the profile's database is damaged", hint: "restore the profile from a backup")
    case .busy: NodeError(.internal, "the profile's database is in use by another program")
    case .other(newer):
      NodeError(.integrity, "the profile was made by a later version of secchat", hint: "use that version")
    case .other(foreign):
      NodeError(
        .integrity, "the profile's database is another program's", hint: "restore the profile from a backup")
    case .other: NodeError(.internal, "the profile's database: \(error)")
    }
  }

  // MARK: Access

  func read<R: Sendable>(
    _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R
  ) async throws(NodeError) -> R {
    do throws(SQLiteError) { return try await queue.read(body) } catch { throw Self.error(error) }
  }

  func write<R: Sendable>(
    _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R
  ) async throws(NodeError) -> R {
    do throws(SQLiteError) { return try await queue.write(body) } catch { throw Self.error(error) }
  }

  // MARK: Rows

  static func associated(_ table: StaticString, _ row: Int64) -> [UInt8] {
    var writer = WireWriter()
    writer.raw(Labels.prefix(Labels.profileRow))
    writer.raw(Labels.prefix(table))
    writer.u64(UInt64(bitPattern: row))
    return writer.bytes
  }

  func seal(_ plaintext: [UInt8], _ table: StaticString, _ row: Int64) -> [UInt8] {
    seal(plaintext.raw, table, row)
  }

  func seal(_ plaintext: RawSpan, _ table: StaticString, _ row: Int64) -> [UInt8] {
    secret.storage.sealWithRandomNonce(plaintext, authenticating: Self.associated(table, row).raw)
  }

  func open(_ sealed: [UInt8], _ table: StaticString, _ row: Int64) throws(NodeError) -> [UInt8] {
    try openSecret(sealed, table, row).withBytes { $0.array }
  }

  /// The same for a row that holds secrets.
  func openSecret(
    _ sealed: [UInt8], _ table: StaticString, _ row: Int64
  ) throws(NodeError) -> SecretBytes {
    let data = Self.associated(table, row)
    do throws(CryptoError) {
      return try secret.storage.openWithNonce(sealed.raw, authenticating: data.raw)
    } catch { throw Self.error(.corrupt) }
  }

  // MARK: Settings

  func settings() async throws(NodeError) -> Settings {
    let sealed = try await read { (database) throws(SQLiteError) in
      try database.first("SELECT body FROM settings WHERE id = 1") { (row) throws(SQLiteError) in
        try row.blob(0)
      }
    }
    guard let sealed else { return Settings() }
    let plain = try open(sealed, "settings", 1)
    return try Self.decode(plain)
  }

  private static func decode(_ plain: [UInt8]) throws(NodeError) -> Settings {
    guard let settings = try? JSONDecoder().decode(Settings.self, from: Data(plain)) else {
      throw error(.corrupt)
    }
    return settings
  }

  private static func encode(_ settings: Settings) throws(NodeError) -> [UInt8] {
    guard let plain = try? JSONEncoder().encode(settings) else { throw error(.corrupt) }
    return [UInt8](plain)
  }

  /// Durable when it returns.
  func save(_ settings: Settings) async throws(NodeError) {
    let sealed = seal(try Self.encode(settings), "settings", 1)
    try await write { (database) throws(SQLiteError) in
      try database.run("INSERT OR REPLACE INTO settings (id, body) VALUES (1, ?)", sealed)
    }
  }

  // MARK: Contacts

  func contacts() async throws(NodeError) -> [Int64: Contact] {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query("SELECT id, body FROM contacts") { (row) throws(SQLiteError) in
        (id: try row.integer(0), body: try row.blob(1))
      }
    }
    var contacts: [Int64: Contact] = [:]
    for row in rows {
      let plain = try open(row.body, "contacts", row.id)
      guard let contact = Contact(decoding: plain) else { throw Self.error(.corrupt) }
      contacts[row.id] = contact
    }
    return contacts
  }

  /// Durable when it returns.
  func save(_ contact: Contact, row: Int64) async throws(NodeError) {
    let sealed = seal(contact.encoded, "contacts", row)
    try await write { (database) throws(SQLiteError) in
      try database.run("INSERT OR REPLACE INTO contacts (id, body) VALUES (?, ?)", row, sealed)
    }
  }

  func close() async { await queue.close() }
}
