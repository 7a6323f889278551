internal import SecchatCore
internal import SecchatCrypto

extension FuzzTarget {
  static let identity: [FuzzTarget] = [
    FuzzTarget("signed-device-list", isExact: true, seeds: [Samples.signedList.encoded]) { bytes in
      do throws(SignedDeviceList.Failure) {
        return .same(try SignedDeviceList(verifying: bytes.raw).encoded, as: bytes)
      } catch { return .refused }
    },
    // What an identity key that means harm could sign: the input is what stands under the signature.
    FuzzTarget("device-list", isExact: true, seeds: [Samples.signedList.list.encoded]) { bytes in
      guard let list = signed(bytes) else { return .refused }
      do throws(SignedDeviceList.Failure) {
        return .same(try SignedDeviceList(verifying: list.raw).list.encoded, as: underOurKey(bytes))
      } catch { return error == .badSignature ? .broken("a good signature was refused") : .refused }
    },
    FuzzTarget("key-file", texts: [keyFile]) { text in
      guard let file = try? KeyFile(decoding: text) else { return .refused }
      // Letters of either case and empty lines are read; one form is written.
      guard let again = try? KeyFile(decoding: file.encoded) else { return .broken("it reads not its own") }
      return .same(again.encoded, as: file.encoded)
    },
    // The same behind its checksum: what somebody could write who would have it read.
    FuzzTarget("key-file-body", isExact: true, seeds: [keyFileBody]) { body in
      let key = Samples.secret.identity.publicKey
      let label = Labels.prefix(Labels.keyFile)
      let sum = BLAKE2b.hash256((label + key.raw.array + body).raw).array
      let text =
        KeyText.encode(key) + "\n" + KeyFile.prefix + Base32.encode(body + sum).uppercased() + "\n"
      guard let file = try? KeyFile(decoding: text) else { return .refused }
      return .same(file.encoded, as: text)
    },
    FuzzTarget(
      "key-text",
      texts: [
        KeyText.encode(Samples.secret.identity.publicKey), KeyText.encode(registry: Samples.account.registry),
      ]
    ) { text in
      if let key = KeyText.identity(text) { return .same(KeyText.identity(KeyText.encode(key)), as: key) }
      if let key = KeyText.registry(text) {
        return .same(KeyText.registry(KeyText.encode(registry: key)), as: key)
      }
      return .refused
    },
    FuzzTarget(
      "fingerprint", texts: [Fingerprint(of: Samples.secret.identity.publicKey).description]
    ) { text in
      guard let fingerprint = Fingerprint(text) else { return .refused }
      return .same(Fingerprint(fingerprint.description), as: fingerprint)
    },
    FuzzTarget("base32", texts: ["", "me", "mfrgg", "nbswy3dpeb3w64tmmq"]) { text in
      guard let bytes = Base32.decode(text) else { return .refused }
      return .same(Base32.encode(bytes), as: text.lowercased())
    },
    FuzzTarget("user-name", texts: ["bob", "Alice_9.-", String(repeating: "z", count: 32)]) { text in
      guard let name = UserName(text) else { return .refused }
      return .same(UserName(name.text), as: name)
    },
    FuzzTarget("protocol-name", isExact: true, texts: protocolNames) { text in
      guard let name = try? ProtocolName(text) else { return .refused }
      return .same(name.text, as: text)
    },
  ]

  private static let protocolNames = [
    "Noise_XK_25519_ChaChaPoly_SHA256", "Noise_IKpsk0+psk2_25519_ChaChaPoly_BLAKE2b",
    "Noise_X1X1_25519_ChaChaPoly_SHA512",
  ]

  private static let keyFile: String = {
    let cost = PasswordHash.Cost(passes: 1, kibibytes: 8)
    let file = try? KeyFile(sealing: Samples.secret, passphrase: Array("a".utf8).raw, cost: cost)
    return file?.encoded ?? ""
  }()

  private static let keyFileBody: [UInt8] = {
    let secret = keyFile.split(separator: "\n").last?.dropFirst(KeyFile.prefix.count) ?? ""
    return (Base32.decode(secret) ?? []).dropLast(32)
  }()

  /// The list with the samples' identity key in its place.
  private static func underOurKey(_ list: [UInt8]) -> [UInt8] {
    guard list.count >= 33 else { return list }
    return list[..<1] + Samples.secret.identity.publicKey.raw.array + list[33...]
  }

  /// The list under the samples' identity key and its signature; nil where it is too long to say its length.
  private static func signed(_ list: [UInt8]) -> [UInt8]? {
    guard list.count >= 33, list.count <= 0xffff else { return nil }
    let list = underOurKey(list)
    var writer = WireWriter(capacity: list.count + 70)
    writer.vector16(list)
    writer.fixed(Samples.secret.identity.sign(label: Labels.deviceList, message: list.raw))
    writer.flag(false)
    return writer.bytes
  }
}
