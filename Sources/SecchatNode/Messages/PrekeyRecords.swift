internal import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite

/// A signed prekey as the profile keeps it, sealed.
///
///     0   kind      u8, 1
///     1   created   u64, Unix seconds
///     9   expires   u64, Unix seconds
///     17  private   32 bytes
///     49  answered  u16 count, each 32 bytes: ephemeral keys of initiations without a one-time prekey
struct SignedPrekeyRecord: Sendable {
  fileprivate static let kind: UInt8 = 1
  /// Initiations without a one-time prekey that are answered under one signed prekey: only when a registry has none left.
  static let answeredLimit = 1_000

  let id: UInt32
  let created: UInt64
  let expires: UInt64
  let secret: SignedPrekeySecret
  var answered: [InitiationPublicKey] = []

  /// The public half, signed.
  func signed(as account: Account, _ identity: SecretIdentity) -> SignedPrekey {
    SignedPrekey(
      signing: secret.privateKey.publicKey, id: id, expires: expires, for: account, device: identity.device,
      with: identity.signing)
  }
}

/// A one-time prekey as the profile keeps it, sealed.
///
///     0   kind     u8, 2
///     1   created  u64, Unix seconds
///     9   private  32 bytes
struct OneTimePrekeyRecord: Sendable {
  fileprivate static let kind: UInt8 = 2

  let id: UInt32
  let created: UInt64
  let secret: OneTimePrekeySecret
}

extension ProfileStore {
  private static let table: StaticString = "prekeys"

  func seal(_ record: SignedPrekeyRecord, _ id: UInt32) -> [UInt8] {
    let body = SecretBytes(count: 51 + 32 * record.answered.count) { target in
      var head = WireWriter()
      head.u8(SignedPrekeyRecord.kind)
      head.u64(record.created)
      head.u64(record.expires)
      target.copy(from: head.bytes.raw)
      record.secret.privateKey.export(into: &target, at: 17)
      var tail = WireWriter()
      tail.u16(UInt16(record.answered.count))
      for key in record.answered { tail.fixed(key.raw) }
      target.copy(from: tail.bytes.raw, at: 49)
    }
    return seal(body.bytes, Self.table, Int64(id))
  }

  func seal(_ record: OneTimePrekeyRecord, _ id: UInt32) -> [UInt8] {
    let body = SecretBytes(count: 41) { target in
      var head = WireWriter()
      head.u8(OneTimePrekeyRecord.kind)
      head.u64(record.created)
      target.copy(from: head.bytes.raw)
      record.secret.privateKey.export(into: &target, at: 9)
    }
    return seal(body.bytes, Self.table, Int64(id))
  }

  func prekeys() async throws(NodeError) -> ([UInt32: SignedPrekeyRecord], [UInt32: OneTimePrekeyRecord]) {
    let rows = try await read { (database) throws(SQLiteError) in
      try database.query("SELECT id, body FROM prekeys") { (row) throws(SQLiteError) in
        (id: try row.integer(0, as: UInt32.self), body: try row.blob(1))
      }
    }
    var signed: [UInt32: SignedPrekeyRecord] = [:]
    var oneTime: [UInt32: OneTimePrekeyRecord] = [:]
    for row in rows {
      let body = try openSecret(row.body, Self.table, Int64(row.id))
      do {
        var reader = WireReader(body.bytes)
        switch try reader.u8() {
        case SignedPrekeyRecord.kind:
          let (created, expires) = (try reader.u64(), try reader.u64())
          let key = try AgreementPrivateKey<SignedPrekeyPurpose>(
            SecretBytes(copying: reader.take(32), in: .guarded))
          var record = SignedPrekeyRecord(
            id: row.id, created: created, expires: expires, secret: SignedPrekeySecret(key))
          let count = Int(try reader.u16())
          guard count <= SignedPrekeyRecord.answeredLimit else { throw WireError.tooLong }
          for _ in 0..<count { record.answered.append(InitiationPublicKey(try reader.fixed())) }
          signed[row.id] = record
        case OneTimePrekeyRecord.kind:
          let created = try reader.u64()
          let key = try AgreementPrivateKey<OneTimePrekeyPurpose>(SecretBytes(copying: reader.take(32)))
          oneTime[row.id] = OneTimePrekeyRecord(
            id: row.id, created: created, secret: OneTimePrekeySecret(key))
        default: throw WireError.malformed
        }
        try reader.end()
      } catch { throw Self.damaged }
    }
    return (signed, oneTime)
  }
}
