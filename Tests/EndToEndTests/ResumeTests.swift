import Foundation
import TestSupport
import Testing

/// Transfers that are cut short, or cannot begin, and go on: by the same command, or by the node itself.
@Suite(.serialized) struct ResumeTests {
  private struct Pair {
    let world: World
    let registry: Registry
    let alice: Profile
    let bob: Profile

    init() async throws {
      world = try World()
      registry = try await world.registry()
      (alice, bob) = (try await world.user("alice", at: registry), try await world.user("bob", at: registry))
    }

    var inbox: String { bob.home + "/downloads/alice" }

    func receiver() async throws -> Program { try await bob.daemon("--accept-files", "always") }

    /// What is in bob's folder of alice, hidden names too.
    var arrived: [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: inbox)) ?? []).sorted()
    }

    /// A file of bytes that repeat nowhere, and those.
    func file(_ name: String, _ count: Int) throws -> (path: String, data: Data) {
      let read = try FileHandle(forReadingAtPath: "/dev/urandom")?.read(upToCount: count)
      let data = try #require(read)
      return (try world.folder.write(name, data), data)
    }

    func transfers(_ of: Profile) async throws -> [Record] {
      try await of.run("transfers").expect(0).records("transfer")
    }
  }

  private static func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  @Test func `the same command goes on after the sender was killed, and after the receiver was`() async throws
  {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 30_000_000)
    var bobs = try await pair.receiver()
    let first = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    _ = try await first.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }
    try await first.destroy()

    let second = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    let going = try await second.record("offer") { $0["state"] == "resumed" }
    #expect(try #require(going.number("resumed_from")) > 1_900_000)
    _ = try await second.record("progress") { ($0.number("bytes") ?? 0) > 6_000_000 }
    try await bobs.destroy()
    #expect(try await second.finish() == 6, "\(second.report)")
    #expect(second.lines.compactMap { Record($0) }.last { $0.type == "offer" }?["state"] == "queued")
    #expect(pair.arrived.count == 2 && pair.arrived.allSatisfy { $0.hasPrefix(".secchat-") })
    #expect(try await pair.transfers(pair.alice).map { $0["state"] } == ["queued"])

    // At another address now.
    bobs = try await pair.receiver()
    let held = try #require(try await pair.transfers(pair.bob).first?.number("bytes"))
    let outcome = try await pair.alice.run("send", "bob", path).expect(0)
    let done = try outcome.record("done")
    let file = try await bobs.record("file")
    // The very last moment before a kill is not noted, only on disk.
    #expect(try #require(done.number("resumed_from")) >= max(held, 5_000_000))
    #expect(file.number("resumed_from") == done.number("resumed_from"))
    #expect(try Self.contents(pair.inbox + "/large") == data)
    try await eventually("no part is left") { pair.arrived == ["large"] }
    #expect(try await pair.transfers(pair.alice).isEmpty)
    #expect(try await pair.transfers(pair.bob).isEmpty)
  }

  @Test func `a daemon goes on by itself when the command has gone, and when the peer comes back`()
    async throws
  {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 30_000_000)
    let alices = try await pair.alice.daemon()
    var bobs = try await pair.receiver()
    let sending = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    _ = try await sending.record("progress")
    try await sending.destroy()
    try await eventually("it goes on") { () async throws -> Bool in
      (try await pair.transfers(pair.bob).first?.number("bytes") ?? 0) > 3_000_000
    }
    // The same command again hears of the one that is under way.
    let again = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    _ = try await again.record("progress")
    try await bobs.destroy()
    #expect(try await again.finish() == 6, "\(again.report)")
    bobs = try await pair.receiver()
    let file = try await bobs.record("file")
    #expect(try #require(file.number("resumed_from")) > 2_900_000)
    #expect(try await alices.record("done")["name"] == "large")
    #expect(try Self.contents(pair.inbox + "/large") == data)
    try await eventually("no part is left") { pair.arrived == ["large"] }
  }

  @Test func `a daemon that was killed goes on by itself when it is started again`() async throws {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 10_000_000)
    let bobs = try await pair.receiver()
    var alices = try await pair.alice.daemon()
    let sending = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "2M"])
    _ = try await sending.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }
    // So that nobody asks for it but the row in the profile.
    try await sending.destroy()
    try await alices.destroy()
    #expect(!bobs.lines.contains { Record($0)?.type == "file" }, "it came before the kill")
    alices = try await pair.alice.daemon()
    let file = try await bobs.record("file")
    #expect(try #require(file.number("resumed_from")) > 1_900_000)
    let done = try await alices.record("done")
    #expect(done["name"] == "large" && done.number("resumed_from") == file.number("resumed_from"))
    #expect(try Self.contents(pair.inbox + "/large") == data)
    try await eventually("no part is left") { pair.arrived == ["large"] }
    try await eventually("nothing waits") { try await pair.transfers(pair.alice).isEmpty }
    try await alices.stop()
    try await bobs.stop()
  }

  @Test func `a link that breaks between daemons that stay is made anew, and the file goes on`() async throws
  {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 10_000_000)
    // The registry sees bob at 127.0.0.1 and tells that with his port: there the proxy stands, he is next door.
    let proxy = try RecordingProxy(to: "127.0.0.2", keeping: false)
    let bobs = try await pair.bob.daemon("--listen", "127.0.0.2:\(proxy.port)", "--accept-files", "always")
    let alices = try await pair.alice.daemon()
    let sending = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "2M"])
    _ = try await sending.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }
    try await sending.destroy()
    let before = proxy.countFromClients
    #expect(before > 2_000_000, "it went past the proxy")
    proxy.hangUp()
    let file = try await bobs.record("file")
    #expect(try #require(file.number("resumed_from")) > 1_900_000)
    #expect(try await alices.record("done").number("resumed_from") == file.number("resumed_from"))
    #expect(try Self.contents(pair.inbox + "/large") == data)
    // What had come did not come again.
    #expect(proxy.countFromClients < 10_000_000 + 2_000_000)
    try await eventually("no part is left") { pair.arrived == ["large"] }
    try await alices.stop()
    try await bobs.stop()
  }

  @Test(arguments: [true, false])
  func `what is sent to somebody offline goes out when both are online`(hasDaemon: Bool) async throws {
    let pair = try await Pair()
    let (path, data) = try pair.file("report", 100_000)
    var alices = hasDaemon ? try await pair.alice.daemon() : nil
    let outcome = try await pair.alice.run("send", "bob", path).expect(6)
    let offer = try outcome.record("offer")
    #expect(offer["state"] == "queued" && offer["name"] == "report" && offer.number("total") == 100_000)
    let waiting = try await pair.transfers(pair.alice)
    #expect(waiting.map { $0["id"] } == [offer["id"]])
    #expect(waiting.first?["state"] == "queued" && waiting.first?["direction"] == "out")
    #expect(waiting.first?["user"] == "bob")
    // Both begin anew, at other addresses.
    try await alices?.stop()
    alices = try await pair.alice.daemon()
    let bobs = try await pair.receiver()
    #expect(try await bobs.record("file")["id"] == offer["id"])
    #expect(try await alices?.record("done")["id"] == offer["id"])
    #expect(try Self.contents(pair.inbox + "/report") == data)
    try await eventually("nothing waits") { () async throws -> Bool in
      try await pair.transfers(pair.alice).isEmpty
    }
  }

  @Test func `a source that has changed begins again and says so`() async throws {
    let pair = try await Pair()
    let path = try pair.file("large", 30_000_000).path
    var bobs = try await pair.receiver()
    let first = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    _ = try await first.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }
    try await first.destroy()
    let data = try pair.file("large", 20_000_000).data
    try await bobs.stop()
    bobs = try await pair.receiver()
    let outcome = try await pair.alice.run("send", "bob", path).expect(0)
    #expect(outcome.records("offer").map { $0["state"] } == ["restarted"])
    #expect(try outcome.record("done").number("resumed_from") == 0)
    #expect(try await bobs.record("file").number("resumed_from") == 0)
    #expect(try Self.contents(pair.inbox + "/large") == data)
    try await eventually("the old part goes") { pair.arrived == ["large"] }
    #expect(try await pair.transfers(pair.bob).isEmpty)
  }

  @Test func `of a folder what has come is not sent again`() async throws {
    let pair = try await Pair()
    let tree = pair.world.folder.file("tree")
    for number in 0..<400 {
      let folder = tree + "/\(number % 7)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(repeating: UInt8(truncatingIfNeeded: number), count: 50_000 + number).write(
        to: URL(filePath: folder + "/\(number)"))
    }
    var bobs = try await pair.receiver()
    let sending = try pair.alice.start(words: ["send", "bob", tree, "--limit-rate", "3M"])
    _ = try await sending.record("progress") { ($0.number("bytes") ?? 0) > 3_000_000 }
    try await bobs.destroy()
    _ = try await sending.finish()
    bobs = try await pair.receiver()
    let done = try await pair.alice.run("send", "bob", tree).expect(0).record("done")
    #expect(try #require(done.number("resumed_from")) > 2_500_000)
    #expect(try await bobs.record("file").number("resumed_from") == done.number("resumed_from"))
    for number in 0..<400 {
      let name = "/\(number % 7)/\(number)"
      #expect(try Self.contents(pair.inbox + "/tree" + name) == Self.contents(tree + name))
    }
    try await eventually("no part is left") { pair.arrived == ["tree"] }
  }

  @Test func `who has said yes is not asked again`() async throws {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 30_000_000)
    func shell() async throws -> Program {
      let program = try pair.bob.start(words: ["login", "--accept-files", "ask"], input: nil)
      _ = try await program.record("online")
      return program
    }
    var bobs = try await shell()
    let sending = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    _ = try await bobs.record("offered")
    bobs.say("accept")
    _ = try await sending.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }
    try await bobs.destroy()
    _ = try await sending.finish()
    bobs = try await shell()
    try await pair.alice.run("send", "bob", path).expect(0)
    #expect(try #require(try await bobs.record("file").number("resumed_from")) > 1_000_000)
    #expect(!bobs.lines.compactMap { Record($0) }.contains { $0.type == "offered" })
    #expect(try Self.contents(pair.inbox + "/large") == data)
  }

  @Test(arguments: ["out", "in"]) func `paused, resumed, cancelled`(direction: String) async throws {
    let pair = try await Pair()
    let (path, data) = try pair.file("large", 30_000_000)
    let alices = try await pair.alice.daemon()
    let bobs = try await pair.receiver()
    let who = direction == "out" ? pair.alice : pair.bob
    let sending = try pair.alice.start(words: ["send", "bob", path, "--limit-rate", "3M"])
    let id = try #require(
      try await sending.record("progress") { ($0.number("bytes") ?? 0) > 2_000_000 }["id"])
    #expect(try await pair.transfers(who).map { $0["state"] } == ["active"])
    let paused = try await who.run("transfers", "pause", String(id.prefix(6))).expect(0).record("transfer")
    #expect(paused["state"] == "paused" && paused["direction"] == direction && paused["id"] == id)
    // It is kept.
    #expect(try await sending.finish() == 6)
    #expect(pair.arrived.count == 2)
    // Not by itself; but the other side is told that it goes on.
    let bytes = try #require(try await pair.transfers(pair.bob).first?.number("bytes"))
    #expect(try await who.run("transfers", "resume", id).expect(0).record("transfer")["state"] != "paused")
    try await eventually("it goes on") { () async throws -> Bool in
      (try await pair.transfers(pair.bob).first?.number("bytes") ?? 0) > bytes
    }
    try await who.run("transfers", "cancel", id).expect(0)
    try await eventually("nothing is left") { pair.arrived.isEmpty }
    #expect(try await pair.transfers(who).isEmpty)
    try await eventually("nothing waits") { () async throws -> Bool in
      try await pair.transfers(pair.alice).isEmpty
    }
    try await who.run("transfers", "cancel", id).expect(1)
    try await who.run("transfers", "frobnicate", id).expect(1)
    // It may be sent anew.
    try await pair.alice.run("send", "bob", path).expect(0)
    #expect(try Self.contents(pair.inbox + "/large") == data)
    try await alices.stop()
    try await bobs.stop()
  }
}
