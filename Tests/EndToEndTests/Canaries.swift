import Foundation
import SecchatCore
import SecchatCrypto
import SecchatSQLite
import TestSupport
import Testing

/// What may be found nowhere but where it belongs: bytes to look for, each with a name for a failure.
struct Canaries: Sendable {
  private let needles: [(name: String, bytes: Data)]

  private init(_ needles: [(name: String, bytes: Data)]) { self.needles = needles }

  init(_ texts: [String: String]) { needles = texts.map { ($0.key, Data($0.value.utf8)) } }

  /// Each 32 random bytes long or more, or unlikely otherwise: what is found is no coincidence.
  static func + (one: Canaries, other: Canaries) -> Canaries { Canaries(one.needles + other.needles) }

  /// Bytes as they are, and as a program might have written them down.
  init(of name: String, _ bytes: [UInt8]) {
    let hex = Hex.encode(bytes)
    // The last letter depends on what follows in the same text.
    let base32 = Base32.encode(bytes).dropLast(2)
    let forms: [(String, Data)] = [
      ("raw", Data(bytes)), ("hex", Data(hex.utf8)), ("upper hex", Data(hex.uppercased().utf8)),
      ("base32", Data(base32.utf8)), ("upper base32", Data(base32.uppercased().utf8)),
      ("base64", Data(Data(bytes).base64EncodedString().dropLast(2).utf8)),
    ]
    needles = forms.map { ("\(name) in \($0)", $1) }
  }

  /// The names of those that are in `data`.
  func found(in data: Data) -> Set<String> {
    Set(needles.filter { Self.contains(data, $0.bytes) }.map(\.name))
  }

  /// Faster than what Foundation has, for the memory of whole processes.
  private static func contains(_ data: Data, _ needle: Data) -> Bool {
    guard let first = needle.first else { return true }
    return unsafe data.withUnsafeBytes { data in
      unsafe needle.withUnsafeBytes { needle in
        guard var place = data.baseAddress, data.count >= needle.count else { return false }
        let end = unsafe place + (data.count - needle.count) + 1
        while unsafe place < end, let hit = unsafe memchr(place, Int32(first), end - place) {
          if unsafe memcmp(hit, needle.baseAddress.unsafelyUnwrapped, needle.count) == 0 { return true }
          unsafe place = UnsafeRawPointer(hit) + 1
        }
        return false
      }
    }
  }

  func found(in text: String) -> Set<String> { found(in: Data(text.utf8)) }

  /// Those that are in a file, by their names; nil where it cannot be read.
  func found(inFile path: String) -> Set<String>? {
    (try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)).map(found)
  }

  /// Those that are in any file below a folder, each with its file.
  func found(below folder: String, where fits: (String) -> Bool = { _ in true }) -> Set<String> {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    var all: Set<String> = []
    for file in files where fits(file) {
      // Opening a pipe or a device would wait.
      let type = try? FileManager.default.attributesOfItem(atPath: folder + "/" + file)[.type]
      guard type as? FileAttributeType == .typeRegular else { continue }
      for name in found(inFile: folder + "/" + file) ?? [] { all.insert("\(name) in \(file)") }
    }
    return all
  }

  /// Those that are in what a process may read of its own memory.
  func found(inMemoryOf process: Int32) throws -> Set<String> {
    let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
    let memory = try #require(FileHandle(forReadingAtPath: "/proc/\(process)/mem"))
    defer { try? memory.close() }
    var all: Set<String> = []
    for line in maps.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 1, fields[1].hasPrefix("r"), !line.hasSuffix("[vvar]") else { continue }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2, ends[1] - ends[0] < 1 << 28 else { continue }
      try memory.seek(toOffset: ends[0])
      // Guard pages cannot be read.
      guard let bytes = try? memory.read(upToCount: Int(ends[1] - ends[0])) else { continue }
      all.formUnion(found(in: bytes))
    }
    return all
  }
}

extension Profile {
  /// Its private keys, as they must never be seen.
  func privateKeys() throws -> Canaries {
    let passphrase = Array(passphrase.utf8)
    let file = try KeyFile(decoding: String(contentsOfFile: keyFile, encoding: .utf8))
    let secret = try file.open(passphrase: passphrase.raw)
    func canaries(_ kind: String, _ export: (inout MutableRawSpan) -> Void) -> Canaries {
      var bytes = [UInt8](repeating: 0, count: 32)
      bytes.withMutableRaw { export(&$0) }
      return Canaries(of: "\(name)'s \(kind) key", bytes)
    }
    return canaries("identity") { secret.identity.export(into: &$0, at: 0) }
      + canaries("link") { secret.link.privateKey.export(into: &$0, at: 0) }
      + canaries("messaging") { secret.messaging.export(into: &$0, at: 0) }
      + canaries("signing") { secret.signing.export(into: &$0, at: 0) }
      + canaries("storage") { secret.storage.export(into: &$0, at: 0) }
  }

  /// The private halves of its signed prekey and of some of its one-time prekeys.
  func prekeys() async throws -> Canaries {
    let passphrase = Array(passphrase.utf8)
    let file = try KeyFile(decoding: String(contentsOfFile: keyFile, encoding: .utf8))
    let secret = try file.open(passphrase: passphrase.raw)
    let database = try Database(path: home + "/profile.db", options: .init(readOnly: true))
    // A daemon makes them a moment after it has come online.
    let rows = try await eventually("\(name) has prekeys") {
      let rows = try database.query("SELECT id, body FROM prekeys") {
        (row: borrowing Row) throws(SQLiteError) in (id: try row.integer(0), body: try row.blob(1))
      }
      return rows.count > 50 ? rows : nil
    }
    var found: [(kind: UInt8, key: [UInt8])] = []
    for row in rows {
      let place = Labels.prefix(Labels.profileRow) + Labels.prefix("prekeys")
      let number = (0..<8).reversed().map { UInt8(truncatingIfNeeded: row.id >> (8 * $0)) }
      let plain = try secret.storage.openWithNonce(row.body.raw, authenticating: (place + number).raw)
      let bytes = plain.withBytes { $0.array }
      // A signed one has the time of its end in front of the key.
      found.append((bytes[0], Array(bytes[bytes[0] == 1 ? 17..<49 : 9..<41])))
    }
    let signed = try #require(found.first { $0.kind == 1 })
    let first = try #require(found.first { $0.kind == 2 })
    let last = try #require(found.last { $0.kind == 2 })
    return Canaries(of: "\(name)'s signed prekey", signed.key)
      + Canaries(of: "\(name)'s first prekey", first.key) + Canaries(of: "\(name)'s last prekey", last.key)
  }

  /// The raw bytes of a key that everybody may see.
  func publicKey() throws -> Canaries {
    let file = try KeyFile(decoding: String(contentsOfFile: keyFile, encoding: .utf8))
    return Canaries(of: "\(name)'s public key", file.publicKey.raw.array)
  }
}
