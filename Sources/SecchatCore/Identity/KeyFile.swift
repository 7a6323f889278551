package import SecchatCrypto

/// The file that holds an identity: two lines of text. The first is the public key; the second is
/// `SECCHAT-SECRET-KEY-1` and base32, in upper case, of
///
///     0    passes    u32, Argon2id t
///     4    memory    u32, Argon2id m in KiB
///     8    salt      16 bytes
///     24   sealed    24 bytes nonce, 172 bytes, 16 bytes tag: XChaCha20-Poly1305
///     236  checksum  32 bytes: BLAKE2b over label, public key and what stands before
///
/// The associated data is the label, the public key and the first 24 bytes. The checksum tells a damaged file from a
/// wrong passphrase; it protects nothing.
package struct KeyFile: Sendable {
  package static let prefix = "SECCHAT-SECRET-KEY-1"
  /// Larger than any key file, to refuse what is none before reading it.
  package static let maximumLength = 4_096

  package let publicKey: IdentityPublicKey
  private let cost: PasswordHash.Cost
  private let salt: FixedBytes<16>
  private let sealed: [UInt8]

  package enum Failure: Error, Equatable, Sendable {
    /// Not a key file, or one that was changed or cut.
    case damaged
    /// The passphrase does not open it.
    case wrongPassphrase
    /// The memory for Argon2id could not be had.
    case outOfMemory
  }

  private static let secretLength = 172
  private static let sealedLength = 24 + secretLength + 16
  private static let headerLength = 24
  /// What a file may ask for, so that a planted one cannot exhaust memory or time.
  private static let maximumCost = PasswordHash.Cost(passes: 64, kibibytes: 4_194_304)

  /// Reads the text of a file; the secret stays sealed.
  package init(decoding text: String) throws(Failure) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard lines.count == 2, let publicKey = KeyText.identity(lines[0]), lines[1].hasPrefix(Self.prefix),
      let blob = Base32.decode(lines[1].dropFirst(Self.prefix.count)),
      blob.count == Self.headerLength + Self.sealedLength + 32
    else { throw .damaged }
    let body = Array(blob.dropLast(32))
    guard Array(blob.suffix(32)) == Self.checksum(publicKey, body).array else { throw .damaged }
    var reader = WireReader(body.raw)
    do {
      cost = PasswordHash.Cost(passes: try reader.u32(), kibibytes: try reader.u32())
      salt = try reader.fixed()
      sealed = reader.takeRest().array
    } catch { throw .damaged }
    guard (1...Self.maximumCost.passes).contains(cost.passes),
      (8...Self.maximumCost.kibibytes).contains(cost.kibibytes)
    else { throw .damaged }
    self.publicKey = publicKey
    // One form only: no other case, no other line ends.
    guard encoded == text else { throw .damaged }
  }

  /// Seals an identity under a passphrase. Takes Argon2id's time and memory: never on the event loop.
  package init(
    sealing secret: SecretIdentity, passphrase: RawSpan, cost: PasswordHash.Cost = .keyFile
  ) throws(Failure) {
    publicKey = secret.identity.publicKey
    self.cost = cost
    salt = Random.bytes()
    let key = try Self.key(passphrase, salt, cost)
    let plain = Self.encode(secret)
    sealed = key.sealWithRandomNonce(
      plain.bytes, authenticating: (Self.associated(publicKey) + Self.header(cost, salt)).raw)
  }

  /// Opens the secret. Takes Argon2id's time and memory: never on the event loop.
  package func open(passphrase: RawSpan) throws(Failure) -> SecretIdentity {
    let key = try Self.key(passphrase, salt, cost)
    let plain: SecretBytes
    do throws(CryptoError) {
      plain = try key.openWithNonce(
        sealed.raw, authenticating: (Self.associated(publicKey) + Self.header(cost, salt)).raw)
    } catch { throw .wrongPassphrase }
    let secret = try Self.decode(plain)
    guard secret.identity.publicKey == publicKey else { throw .damaged }
    return secret
  }

  /// The text of the file.
  package var encoded: String {
    let body = Self.header(cost, salt) + sealed
    let blob = body + Self.checksum(publicKey, body).array
    return KeyText.encode(publicKey) + "\n" + Self.prefix + Base32.encode(blob).uppercased() + "\n"
  }

  private static func key(
    _ passphrase: RawSpan, _ salt: FixedBytes<16>, _ cost: PasswordHash.Cost
  ) throws(Failure) -> AEADKey<XChaChaPoly> {
    do throws(CryptoError) {
      return try AEADKey(PasswordHash.derive(passphrase: passphrase, salt: salt, cost: cost))
    } catch { throw .outOfMemory }
  }

  private static func header(_ cost: PasswordHash.Cost, _ salt: FixedBytes<16>) -> [UInt8] {
    var writer = WireWriter()
    writer.u32(cost.passes)
    writer.u32(cost.kibibytes)
    writer.fixed(salt)
    return writer.bytes
  }

  private static func associated(_ key: IdentityPublicKey) -> [UInt8] {
    Labels.prefix(Labels.keyFile) + key.raw.array
  }

  private static func checksum(_ key: IdentityPublicKey, _ body: [UInt8]) -> FixedBytes<32> {
    BLAKE2b.hash256((associated(key) + body).raw)
  }

  /// identity seed (32) ‖ device id (u32) ‖ created (u64) ‖ link (32) ‖ messaging (32) ‖ signing seed (32) ‖
  /// storage (32)
  private static func encode(_ secret: SecretIdentity) -> SecretBytes {
    var numbers = WireWriter()
    numbers.u32(secret.device)
    numbers.u64(secret.created)
    var plain = SecretBytes(count: secretLength)
    var target = plain.mutableBytes
    secret.identity.export(into: &target, at: 0)
    target.copy(from: numbers.bytes.raw, at: 32)
    secret.link.privateKey.export(into: &target, at: 44)
    secret.messaging.export(into: &target, at: 76)
    secret.signing.export(into: &target, at: 108)
    secret.storage.export(into: &target, at: 140)
    return plain
  }

  private static func decode(_ plain: borrowing SecretBytes) throws(Failure) -> SecretIdentity {
    guard plain.count == secretLength else { throw .damaged }
    var reader = WireReader(plain.bytes)
    do {
      func secret(_ reader: inout WireReader, in home: SecretBytes.Home) throws -> SecretBytes {
        SecretBytes(copying: try reader.take(32), in: home)
      }
      let identity = try SigningPrivateKey<IdentityPurpose>(
        seed: secret(&reader, in: .heap), in: .guarded)
      let device = try reader.u32()
      let created = try reader.u64()
      return SecretIdentity(
        identity: identity, device: device, created: created,
        link: try AgreementPrivateKey(secret(&reader, in: .guarded)),
        messaging: try AgreementPrivateKey(secret(&reader, in: .guarded)),
        signing: try SigningPrivateKey(seed: secret(&reader, in: .heap), in: .guarded),
        storage: try AEADKey(secret(&reader, in: .guarded)))
    } catch { throw .damaged }
  }
}
