import Foundation
import Testing

/// A registry of the built program, with users of the other built program, all in one folder that goes away with it.
final class BuiltPrograms: Sendable {
  let folder: URL
  let registry: JSONProgram
  let (host, port, key): (JSONValue, JSONValue, JSONValue)

  init() async throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "secchat-\(UUID().uuidString)")
    let folder = folder
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("a passphrase of tests\n".utf8).write(to: folder.appending(path: "passphrase"))
    registry = try JSONProgram(
      Self.program("secchat-registry"),
      ["--json", "--listen", "127.0.0.1:0", "--data", folder.appending(path: "registry").path])
    let listening = try await registry.next("listening")
    (host, port, key) = (listening["host"], listening["port"], listening["key"])
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  /// The programs lie next to the tests' own.
  private static func program(_ name: String) throws -> URL {
    let tests = try #require(Bundle.main.executableURL).deletingLastPathComponent()
    return tests.appending(path: name)
  }

  /// Starts a command of a user.
  func secchat(_ user: String, _ arguments: String...) throws -> JSONProgram {
    let options = [
      "--json", "--home", folder.appending(path: user).path,
      "--passphrase-file", folder.appending(path: "passphrase").path,
    ]
    return try JSONProgram(Self.program("secchat"), options + arguments)
  }

  /// Makes a user and claims the name.
  func makeUser(_ user: String) async throws {
    try await #expect(secchat(user, "keygen").exitStatus() == 0)
    let address = "\(user)@\(host.string ?? ""):\(port.int ?? 0)"
    let status = try await secchat(user, "register", address, "--registry-key", key.string ?? "").exitStatus()
    #expect(status == 0)
  }

  /// Makes a user who is online, takes every file, and puts them into the folder of that name and `.files`.
  func makeDaemon(_ user: String) async throws -> JSONProgram {
    try await makeUser(user)
    let daemon = try secchat(
      user, "daemon", "--listen", "127.0.0.1:0", "--accept-files", "always",
      "--downloads", downloads(user).path)
    try await daemon.next("online")
    return daemon
  }

  func downloads(_ user: String) -> URL { folder.appending(path: "\(user).files") }

  /// Makes the documented peer a user who is online; `arguments` are those of its `listen`.
  func makePeer(_ user: String, listen arguments: [String: JSONValue] = [:]) async throws -> DocumentedPeer {
    let peer = try DocumentedPeer()
    try await peer.ask("identity", ["name": .string(user), "registry_key": key])
    try await peer.ask("connect", ["host": host, "port": port])
    try await peer.ask("register")
    try await peer.ask("login", try await peer.ask("listen", arguments).only("port"))
    return peer
  }

  /// A file of `count` bytes that are not alike.
  func makeFile(_ path: String, _ count: Int) throws -> URL {
    let file = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    var state: UInt32 = 1
    let bytes = (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    try Data(bytes).write(to: file)
    return file
  }
}

extension JSONValue {
  /// One of the fields, as arguments.
  fileprivate func only(_ field: String) -> [String: JSONValue] { [field: self[field]] }
}
