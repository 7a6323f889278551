import Foundation
import SecchatCrypto
import SecchatSQLite
import TestSupport
import Testing

/// What is to be gone is in no file of the profile any more. Each search is shown to find what is there.
@Suite struct ForgettingTests {
  /// Alice and bob, both online.
  private struct Pair {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile
    let alices: Program
    let bobs: Program

    init() async throws {
      world = try World()
      registry = try await world.registry()
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
      (alices, bobs) = (try await alice.daemon(), try await bob.daemon())
    }

    var both: [Profile] { [alice, bob] }
  }

  /// What a profile's database holds, as it is sealed; each piece of a row is looked for, since pages may part it.
  private func sealed(_ profile: Profile, _ sql: StaticString) throws -> Canaries {
    let database = try Database(path: profile.home + "/profile.db", options: .init(readOnly: true))
    let rows = try database.query(sql) { (row: borrowing Row) throws(SQLiteError) in try row.blob(0) }
    try #require(!rows.isEmpty)
    return rows.enumerated().reduce(Canaries([:])) { all, row in
      stride(from: 0, through: row.element.count - 32, by: 64).reduce(all) { all, start in
        all + Canaries(of: "row \(row.offset) at \(start)", Array(row.element[start..<start + 32]))
      }
    }
  }

  private func texts(_ profile: Profile) async throws -> [String] {
    try await profile.run("history").expect(0).records("message").compactMap { $0["text"] }
  }

  @Test(arguments: [true, false]) func `a message that has expired`(running: Bool) async throws {
    let pair = try await Pair()
    let text = "canary-" + String(UInt64.random(in: 1 << 60...UInt64.max), radix: 36)
    try await pair.alice.run("chat", "bob", "stays").expect(0)
    try await pair.alice.run("chat", "bob", "--expires", "4s", text).expect(0)
    let expired = Date() + 6
    let bodies = try pair.both.map { profile in
      try sealed(profile, "SELECT body FROM messages ORDER BY id DESC LIMIT 1")
    }
    if !running {
      try await pair.alices.stop()
      try await pair.bobs.stop()
      try await eventually("its time comes while nothing runs") { Date() > expired }
      for (profile, body) in zip(pair.both, bodies) {
        #expect(!body.found(below: profile.home).isEmpty, "the search finds what is there")
      }
    }
    let again = running ? [] : [try await pair.alice.daemon(), try await pair.bob.daemon()]
    for (profile, body) in zip(pair.both, bodies) {
      try await eventually("it is in no file of \(profile.name)") { body.found(below: profile.home).isEmpty }
      #expect(Canaries(["the text": text]).found(below: profile.home).isEmpty)
      #expect(try await texts(profile) == ["stays"])
    }
    for program in running ? [pair.alices, pair.bobs] : again { try await program.stop() }
    for (profile, body) in zip(pair.both, bodies) { #expect(body.found(below: profile.home).isEmpty) }
  }

  @Test(arguments: [true, false]) func `a wrong passphrase deletes nothing`(hasDaemon: Bool) async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "stays").expect(0)
    if !hasDaemon { try await pair.alices.stop() }
    try await pair.alice.run("history", "delete", "bob", passphraseFile: pair.bob.passphraseFile).expect(7)
    #expect(try await texts(pair.alice) == ["stays"])
    try await pair.alice.run("history", "delete", "bob").expect(0)
    #expect(try await texts(pair.alice) == [])
  }

  /// What opens recorded messages must not outlive them: SECURITY.md has it gone from the database's log some ten seconds
  /// later, and after a kill when the next node starts.
  @Test(arguments: [true, false]) func `the state of a conversation, once there is a newer`(
    killed: Bool
  ) async throws {
    let pair = try await Pair()
    try await pair.alice.run("chat", "bob", "one").expect(0)
    try await pair.bob.run("chat", "alice", "two").expect(0)
    try await pair.alices.stop()
    let old = try sealed(pair.alice, "SELECT body FROM correspondences")
    #expect(!old.found(below: pair.alice.home).isEmpty, "the search finds what is there")

    var alices = try await pair.alice.daemon()
    try await pair.alice.run("chat", "bob", "three").expect(0)
    try await pair.bob.run("chat", "alice", "four").expect(0)
    let newer = try sealed(pair.alice, "SELECT body FROM correspondences")
    if killed {
      try await alices.destroy()
      alices = try await pair.alice.daemon()
    }
    try await eventually("the old state is in no file") { old.found(below: pair.alice.home).isEmpty }
    #expect(!newer.found(below: pair.alice.home).isEmpty, "the search finds what is there")
    try await alices.stop()
    #expect(old.found(below: pair.alice.home).isEmpty)
  }
}
