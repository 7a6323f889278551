internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// The identity on disk: made once, opened with the passphrase.
enum KeyStore {
  /// Makes an identity where there is none. `now` is in Unix seconds.
  @LoopActor static func generate(
    in folder: ProfileFolder, passphrase: Passphrase, now: UInt64
  ) async throws(NodeError) -> IdentityPublicKey {
    guard !passphrase.isEmpty else {
      throw NodeError(
        .usage, "the passphrase is empty", hint: "choose one: it is all that guards the keys on this disk")
    }
    return try await Loop.offload { () throws(NodeError) in
      if try PrivateFile.read(folder.keyPath, limit: KeyFile.maximumLength) != nil { throw exists(folder) }
      let file: KeyFile
      do {
        let secret = try SecretIdentity.generate(now: now)
        file = try passphrase.withBytes { bytes in try KeyFile(sealing: secret, passphrase: bytes) }
      } catch { throw NodeError(.internal, "the keys could not be made: out of memory") }
      guard try PrivateFile.writeNew(folder.keyPath, Array(file.encoded.utf8)) else { throw exists(folder) }
      return file.publicKey
    }
  }

  private static func exists(_ folder: ProfileFolder) -> NodeError {
    NodeError(
      .usage, "there is an identity in \(folder.path) already",
      hint: "keep it, or choose another profile with --home")
  }

  /// The key file, its secret still sealed.
  static func load(_ folder: ProfileFolder) throws(NodeError) -> KeyFile {
    guard let bytes = try PrivateFile.read(folder.keyPath, limit: KeyFile.maximumLength) else {
      throw NodeError(
        .usage, "there is no identity in \(folder.path)", hint: "make one with `secchat keygen`")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw damaged(folder) }
    do throws(KeyFile.Failure) { return try KeyFile(decoding: text) } catch { throw damaged(folder) }
  }

  /// The secret keys. Argon2id runs off the loop.
  @LoopActor static func unlock(
    _ file: KeyFile, in folder: ProfileFolder, passphrase: Passphrase
  ) async throws(NodeError) -> SecretIdentity {
    try await Loop.offload { () throws(NodeError) in
      do throws(KeyFile.Failure) {
        return try passphrase.withBytes { (bytes) throws(KeyFile.Failure) in try file.open(passphrase: bytes)
        }
      } catch {
        switch error {
        case .wrongPassphrase: throw NodeError(.authentication, "the passphrase is wrong")
        case .damaged: throw damaged(folder)
        case .outOfMemory: throw NodeError(.internal, "there is not enough memory to open the key file")
        }
      }
    }
  }

  /// Seals the same keys under another passphrase, in the place of the old file: one of the two is there at any time, whole.
  @LoopActor static func change(
    in folder: ProfileFolder, _ secret: SecretIdentity, passphrase: Passphrase
  ) async throws(NodeError) {
    guard !passphrase.isEmpty else {
      throw NodeError(
        .usage, "the passphrase is empty", hint: "choose one: it is all that guards the keys on this disk")
    }
    try await Loop.offload { () throws(NodeError) in
      let file: KeyFile
      do {
        file = try passphrase.withBytes { bytes in try KeyFile(sealing: secret, passphrase: bytes) }
      } catch { throw NodeError(.internal, "the keys could not be sealed: out of memory") }
      try PrivateFile.replace(folder.keyPath, Array(file.encoded.utf8))
    }
  }

  private static func damaged(_ folder: ProfileFolder) -> NodeError {
    NodeError(
      .integrity, "the key file \(folder.keyPath) is damaged", hint: "restore it from a backup")
  }
}
