import SecchatCrypto

/// Writes secrets into memory whose length is known beforehand: growing would leave copies behind.
struct SecretWriter: ~Copyable {
  private var target: SecretBytes
  private var used = 0

  init(count: Int) { target = SecretBytes(count: count) }

  mutating func raw(_ bytes: RawSpan) {
    let offset = used
    used += bytes.byteCount
    var span = target.mutableBytes
    span.copy(from: bytes, at: offset)
  }

  mutating func wire(_ body: (inout WireWriter) -> Void) {
    var writer = WireWriter()
    body(&writer)
    raw(writer.bytes.raw)
  }

  /// A private key, exported straight into its place.
  mutating func privateKey<Purpose>(_ key: borrowing AgreementPrivateKey<Purpose>) {
    let offset = used
    used += 32
    var span = target.mutableBytes
    key.export(into: &span, at: offset)
  }

  /// What was written, which must be as much as was announced.
  consuming func finish() -> SecretBytes {
    precondition(used == target.count, "another length than was announced")
    return target
  }
}

extension WireReader {
  /// A private key of 32 bytes.
  mutating func privateKey<Purpose>() throws(WireError) -> AgreementPrivateKey<Purpose> {
    let secret = SecretBytes(copying: try take(32))
    do throws(CryptoError) { return try AgreementPrivateKey(secret) } catch { throw .malformed }
  }
}
