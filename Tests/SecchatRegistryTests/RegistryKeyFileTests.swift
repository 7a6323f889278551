import Foundation
import SecchatCore
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

@Suite struct RegistryKeyFileTests {
  let folder: TemporaryFolder
  let data: DataFolder

  init() throws {
    folder = try TemporaryFolder()
    data = try DataFolder(folder.path)
  }

  @Test func itIsMadeOnceAndReadAgain() throws {
    let key = try RegistryKeyFile.open(in: data).publicKey
    #expect(try RegistryKeyFile.open(in: data).publicKey == key)
    #expect(try permissions(of: folder.file("registry.key")) == 0o600)
    #expect(try folder.names() == ["registry.key"])
    let other = try TemporaryFolder()
    #expect(try RegistryKeyFile.open(in: DataFolder(other.path)).publicKey != key)
  }

  @Test func itSaysWhatItIs() throws {
    _ = try RegistryKeyFile.open(in: data)
    let text = String(decoding: try folder.read("registry.key"), as: UTF8.self)
    let letters = try #require(text.split(separator: "\n").first).dropFirst(RegistryKeyFile.prefix.count)
    #expect(text.hasPrefix("SECCHAT-REGISTRY-KEY-1"))
    #expect(text.hasSuffix("\n"))
    #expect(letters.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains($0) })
    #expect(Base32.decode(letters)?.count == 35)
  }

  @Test func everyChangedByteIsNoticed() throws {
    _ = try RegistryKeyFile.open(in: data)
    let good = try folder.read("registry.key")
    for index in good.indices.dropLast() {
      var bytes = good
      bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      try folder.write("registry.key", bytes)
      #expect(throws: RegistryError.keyDamaged(data.keyPath), "byte \(index)") {
        try RegistryKeyFile.open(in: data)
      }
    }
  }

  @Test func aCutOrLongerFileIsNoticedAndKept() throws {
    _ = try RegistryKeyFile.open(in: data)
    let good = try folder.read("registry.key")
    for bytes in [
      [], Array(good.prefix(40)), good.dropLast(2), good + good, good + [10], Array("\n".utf8) + good,
    ] {
      try folder.write("registry.key", bytes)
      #expect(throws: RegistryError.keyDamaged(data.keyPath)) { try RegistryKeyFile.open(in: data) }
      #expect(try folder.read("registry.key") == bytes)
    }
    try folder.write("registry.key", good.dropLast())
    _ = try RegistryKeyFile.open(in: data)
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
  func aFileOpenToOthersIsRefused(mode: Int) throws {
    _ = try RegistryKeyFile.open(in: data)
    try setPermissions(mode, of: folder.file("registry.key"))
    #expect(throws: RegistryError.keyExposed(data.keyPath)) { try RegistryKeyFile.open(in: data) }
  }

  @Test func whatAnInterruptedStartLeftDoesNotMatter() throws {
    try folder.write("registry.key.new", [1, 2, 3])
    _ = try RegistryKeyFile.open(in: data)
    #expect(try folder.names() == ["registry.key"])
  }

  // MARK: The folder

  @Test func itIsMadeForItsOwnerAlone() throws {
    let made = try DataFolder(folder.file("a/b/c"))
    for name in ["a", "a/b", "a/b/c"] { #expect(try permissions(of: folder.file(name)) == 0o700) }
    withExtendedLifetime(made) {}
  }

  @Test func oneThatIsThereIsRestrictedUnlessItHoldsOtherThings() throws {
    for (name, other, mode) in [("ours", "registry.key", 0o700), ("shared", "letter.txt", 0o755)] {
      _ = try DataFolder(folder.file(name))
      try folder.write("\(name)/\(other)", [])
      try setPermissions(0o755, of: folder.file(name))
      _ = try DataFolder(folder.file(name))
      #expect(try permissions(of: folder.file(name)) == mode)
    }
  }

  @Test(arguments: [0o770, 0o720, 0o702, 0o777, 0o1777])
  func oneThatOthersMayWriteIsRefusedAndLeftAsItIs(mode: Int) throws {
    let path = folder.file("open")
    _ = try DataFolder(path)
    try setPermissions(mode, of: folder.file("open"))
    #expect(throws: RegistryError.writableByOthers(path)) { try DataFolder(path) }
    #expect(try permissions(of: folder.file("open")) == mode)
    try setPermissions(0o750, of: folder.file("open"))
    _ = try DataFolder(path)
  }

  @Test(arguments: ["registry.db", "registry.db-wal", "registry.db-shm"], [0o660, 0o602])
  func aDatabaseThatOthersMayWriteIsRefused(name: String, mode: Int) throws {
    try data.checkDatabase()
    try folder.write(name, [])
    try data.checkDatabase()
    try setPermissions(0o644, of: folder.file(name))
    try data.checkDatabase()
    try setPermissions(mode, of: folder.file(name))
    #expect(throws: RegistryError.writableByOthers(folder.file(name))) { try data.checkDatabase() }
  }

  private func setOwner(_ user: Int, of name: String) throws {
    try FileManager.default.setAttributes([.ownerAccountID: user], ofItemAtPath: folder.file(name))
  }

  /// Giving a file away takes root.
  @Test(.needsRoot) func whatBelongsToAnotherUserIsRefused() throws {
    let path = folder.file("theirs")
    let theirs = try DataFolder(path)
    _ = try RegistryKeyFile.open(in: theirs)
    try folder.write("theirs/registry.db", [])
    for name in ["registry.db", "registry.key"] {
      try setOwner(65_534, of: "theirs/\(name)")
      #expect(throws: RegistryError.notOwned("\(path)/\(name)")) {
        try theirs.checkDatabase()
        _ = try RegistryKeyFile.open(in: theirs)
      }
      try setOwner(0, of: "theirs/\(name)")
    }
    try setOwner(65_534, of: "theirs")
    #expect(throws: RegistryError.notOwned(path)) { try DataFolder(path) }
  }

  @Test @LoopActor func aRegistryDoesNotOpenWhatOthersMayWrite() async throws {
    try folder.write("registry.db", [])
    try setPermissions(0o666, of: folder.file("registry.db"))
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    await #expect(throws: RegistryError.writableByOthers(data.databasePath)) {
      try await Registry.open(
        folder: data, address: address, configuration: RegistryConfiguration(), log: .silent)
    }
  }

  @Test func oneProcessAtATimeHasIt() throws {
    let path = folder.file("one")
    do {
      let first = try DataFolder(path)
      #expect(throws: RegistryError.folderInUse(path)) { try DataFolder(path) }
      withExtendedLifetime(first) {}
    }
    _ = try DataFolder(path)
  }

  @Test func aFileIsNoFolder() throws {
    try folder.write("file", [])
    #expect(throws: RegistryError.self) { try DataFolder(folder.file("file")) }
    #expect(throws: RegistryError.self) { try DataFolder(folder.file("file/sub")) }
  }
}
