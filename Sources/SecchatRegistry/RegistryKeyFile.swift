internal import Glibc
package import SecchatCore
internal import SecchatCrypto

/// The registry's own key, one line of text: the prefix and, in upper-case base32, the 32 bytes of the X25519 private
/// key and 3 of checksum (BLAKE2b over label, prefix and key).
///
/// It is not encrypted: a registry starts again on its own after a power cut, with nobody there to type a passphrase.
/// Who has it can pose as the registry; of what users write it opens nothing.
package enum RegistryKeyFile {
  package static let prefix = "SECCHAT-REGISTRY-KEY-1"
  private static let keyLength = 32
  private static let checksumLength = 3
  /// 35 bytes in base32.
  private static let textLength = 56

  /// The key in `folder`, made at the first start.
  package static func open(in folder: DataFolder) throws(RegistryError) -> LinkKeyPair {
    if let key = try read(folder.keyPath) { return key }
    return try create(in: folder)
  }

  // MARK: Reading

  private static func read(_ path: String) throws(RegistryError) -> LinkKeyPair? {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .keyUnusable(path, reason: DataFolder.reason())
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .keyUnusable(path, reason: "it is not a file")
    }
    guard status.st_uid == geteuid() else { throw .notOwned(path) }
    guard status.st_mode & 0o077 == 0 else { throw .keyExposed(path) }

    // One byte more than the longest good file, to notice a longer one.
    let limit = prefix.utf8.count + textLength + 2
    var count = 0
    let text = SecretBytes(count: limit) { (target: inout MutableRawSpan) in
      unsafe target.withUnsafeMutableBytes { buffer in
        while count < buffer.count {
          let got = unsafe Glibc.read(
            descriptor, buffer.baseAddress.unsafelyUnwrapped + count, buffer.count - count)
          guard got > 0 else { return }
          count += got
        }
      }
    }
    guard let key = parse(text.bytes.extracting(0..<count)) else { throw .keyDamaged(path) }
    return key
  }

  private static func parse(_ text: RawSpan) -> LinkKeyPair? {
    let start = Array(prefix.utf8)
    var end = text.byteCount
    if end > 0, unsafe text.unsafeLoad(fromByteOffset: end - 1, as: UInt8.self) == UInt8(ascii: "\n") {
      end -= 1
    }
    guard end == start.count + textLength, text.extracting(0..<start.count).array == start else { return nil }
    guard let decoded = SecretBase32.decode(text.extracting(start.count..<end)) else { return nil }
    let key = SecretBytes(copying: decoded.bytes.extracting(0..<keyLength), in: .guarded)
    guard decoded.bytes.extracting(keyLength..<decoded.count).array == checksum(key) else { return nil }
    guard let privateKey = try? AgreementPrivateKey<LinkPurpose>(key) else { return nil }
    return LinkKeyPair(privateKey)
  }

  private static func checksum(_ key: borrowing SecretBytes) -> [UInt8] {
    var hash = BLAKE2b.hasher256()
    hash.update(Labels.prefix(Labels.registryKeyFile) + Array(prefix.utf8))
    hash.update(key.bytes)
    return Array(hash.digest256().array.prefix(checksumLength))
  }

  // MARK: Writing

  private static func create(in folder: DataFolder) throws(RegistryError) -> LinkKeyPair {
    let path = folder.keyPath
    let secret = SecretBytes.random(count: keyLength, in: .guarded)
    let text = write(secret)

    // Under another name until it is whole, so that a power cut leaves no half key; the folder's lock keeps others out.
    let draft = path + ".new"
    unsafe unlink(draft)
    let descriptor = unsafe Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .keyUnusable(path, reason: DataFolder.reason()) }
    let written = unsafe text.bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    let failed = written != text.count || fsync(descriptor) != 0
    let error = errno
    close(descriptor)
    // link, not rename: it never takes the place of a key that is there.
    guard !failed, unsafe link(draft, path) == 0 else {
      let reason = DataFolder.reason(failed ? error : errno)
      unsafe unlink(draft)
      throw .keyUnusable(path, reason: reason)
    }
    unsafe unlink(draft)
    folder.synchronise()
    guard let key = try read(path) else { throw .keyUnusable(path, reason: "it cannot be read back") }
    return key
  }

  private static func write(_ secret: borrowing SecretBytes) -> SecretBytes {
    let sum = checksum(secret)
    let bytes = SecretBytes(count: keyLength + checksumLength) { (target: inout MutableRawSpan) in
      target.copy(from: secret.bytes)
      for (index, byte) in sum.enumerated() {
        target.storeBytes(of: byte, toByteOffset: keyLength + index, as: UInt8.self)
      }
    }
    let letters = SecretBase32.encode(bytes.bytes)
    let start = Array(prefix.utf8)
    return SecretBytes(count: start.count + letters.count + 1) { (target: inout MutableRawSpan) in
      target.copy(from: start.raw)
      for index in 0..<letters.count {
        let letter = unsafe letters.bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        target.storeBytes(of: letter, toByteOffset: start.count + index, as: UInt8.self)
      }
      target.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: start.count + letters.count, as: UInt8.self)
    }
  }
}
