import Foundation
import TestSupport
import Testing

/// A registry of the built program, with users of the other built program, all in one folder that goes away with it.
final class BuiltPrograms: Sendable {
  let folder: TemporaryFolder
  let registry: JSONProgram
  let (host, port, key): (JSONValue, JSONValue, JSONValue)

  init() async throws {
    folder = try TemporaryFolder()
    try folder.write("passphrase", "a passphrase of tests\n")
    registry = JSONProgram(
      try Program(
        "secchat-registry", ["--json", "--listen", "127.0.0.1:0", "--data", folder.file("registry")],
        input: nil))
    let listening = try await registry.next("listening")
    (host, port, key) = (listening["host"], listening["port"], listening["key"])
  }

  /// Starts a command of a user.
  func secchat(_ user: String, _ arguments: String...) throws -> JSONProgram {
    let options = [
      "--json", "--home", folder.file(user), "--passphrase-file", folder.file("passphrase"),
    ]
    return JSONProgram(try Program("secchat", options + arguments, input: nil))
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

  func downloads(_ user: String) -> URL { URL(filePath: folder.file("\(user).files")) }

  /// Makes the documented peer a user who is online.
  ///
  /// - Parameters:
  ///   - identity: more arguments of its `identity`.
  ///   - arguments: those of its `listen`.
  ///   - prekeys: one-time prekeys that it leaves at the registry; nil for no signed one either.
  func makePeer(
    _ user: String, identity: [String: JSONValue] = [:], listen arguments: [String: JSONValue] = [:],
    prekeys: Int? = 100
  ) async throws -> DocumentedPeer {
    let peer = try DocumentedPeer()
    let named: [String: JSONValue] = ["name": .string(user), "registry_key": key]
    try await peer.ask("identity", identity.merging(named) { $1 })
    try await peer.ask("connect", ["host": host, "port": port])
    try await peer.ask("register")
    try await peer.ask("login", try await peer.ask("listen", arguments).only("port"))
    if let prekeys {
      try await peer.ask("publish", ["signed": true, "count": JSONValue(integerLiteral: prekeys)])
    }
    return peer
  }

  /// A file of `count` bytes that are not alike.
  func makeFile(_ path: String, _ count: Int) throws -> URL {
    var state: UInt32 = 1
    let bytes = (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    return URL(filePath: try folder.write(path, bytes))
  }
}

extension JSONValue {
  /// One of the fields, as arguments.
  fileprivate func only(_ field: String) -> [String: JSONValue] { [field: self[field]] }
}
