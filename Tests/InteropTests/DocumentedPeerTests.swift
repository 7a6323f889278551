import Foundation
import TestSupport
import Testing

/// The built programs against a client in Python that was written from docs/protocol.md alone.
@Suite struct DocumentedPeerTests {
  @Test func `another implementation makes every example of the document`() async throws {
    let document = Vectors.packageRoot.appending(path: "docs/protocol.md").path
    let answer = try await DocumentedPeer().ask("examples", ["document": .string(document)])
    #expect(answer["differing"] == [])
    #expect((answer["count"].int ?? 0) >= 89)
  }

  @Test(.timeLimit(.minutes(2))) func `a registry serves it`() async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try DocumentedPeer()
    let inquired = try await peer.ask("inquire", ["host": built.host, "port": built.port])
    #expect(inquired["key"] == built.key)
    let pia = try await peer.ask("identity", ["name": "pia", "registry_key": built.key])

    try await peer.ask("connect", ["host": built.host, "port": built.port])
    #expect(try await peer.ask("register")["already"] == false)
    #expect(try await peer.ask("register")["already"] == true)
    await expect(peer, "list_online", fails: "not logged in")
    let port = try await peer.ask("listen")["port"]
    let session = try await peer.ask("login", ["port": port])
    #expect(session["address"] == .string("127.0.0.1:\(port.int ?? 0)"))
    #expect((session["heartbeat"].int ?? 0) < (session["life"].int ?? 0))
    #expect(try await peer.ask("heartbeat")["life"] == session["life"])

    let found = try await peer.ask("lookup", ["user": "dora"])
    #expect(found["verdict"] == "first")
    #expect(try await peer.ask("lookup", ["user": "dora"])["verdict"] == "same")
    let shown = try await built.secchat("dora", "key", "show").next("identity")
    #expect((found["key"], found["fingerprint"]) == (shown["key"], shown["fingerprint"]))
    await expect(peer, "lookup", ["user": "nobody"], fails: "unknown name")
    let users = try await peer.ask("list_online")["users"]
    #expect(users["dora"] == .object(["key": found["key"], "address": found["address"]]))
    #expect(users["pia"] == .object(["key": pia["key"], "address": session["address"]]))

    let seen = try await built.secchat("dora", "lookup", "pia").next("peer")
    #expect((seen["key"], seen["fingerprint"]) == (pia["key"], pia["fingerprint"]))
    #expect(seen["address"] == session["address"])

    try await peer.ask("watch", ["users": ["dora", "nobody"]])
    #expect(try await presence(peer, "dora") == found["address"])
    #expect(try await presence(peer, "nobody") == .null)
    dora.interrupt()
    #expect(try await presence(peer, "dora") == .null)

    try await peer.ask("logout")
    await expect(peer, "heartbeat", fails: "not logged in")
    let gone = try await built.secchat("dora", "lookup", "pia").next("peer")
    #expect(gone["online"] == false)
  }

  private func presence(_ peer: DocumentedPeer, _ user: JSONValue) async throws -> JSONValue {
    try await peer.program.next("presence") { $0["user"] == user }["address"]
  }

  @Test(.timeLimit(.minutes(2))) func `it links to a daemon`() async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia")
    let link = try await peer.dial("dora")["link"]

    let text: JSONValue = "Hello, Dora! 👋"
    let id = try await peer.ask("chat", ["link": link, "text": text])["id"]
    let message = try await dora.next("message") { $0["id"] == id }
    #expect((message["from"], message["to"], message["text"]) == ("pia", "dora", text))
    // Shown once, acknowledged each time.
    #expect(try await peer.ask("chat_again", ["link": link])["id"] == id)
    try await peer.ask("ping", ["link": link])
    try await peer.ask("rekey", ["link": link])
    // More than the first credit, each sent before the one before is confirmed.
    let texts = (0..<300).map { JSONValue.string("number \($0)") }
    try await peer.ask("chats", ["link": link, "texts": .array(texts)])
    for text in texts { #expect(try await dora.next("message")["text"] == text) }
    #expect(dora.untaken("message").isEmpty && dora.untaken("session-reset").isEmpty)

    let reply = try built.secchat("dora", "chat", "pia", "and", "back")
    let received = try await peer.program.next("chat")
    #expect((received["link"], received["from"], received["text"]) == (link, "dora", "and back"))
    #expect(try await reply.next("sent")["id"] == received["id"])
    #expect(try await reply.exitStatus() == 0)

    let number = try await built.secchat("dora", "verify", "pia").next("safety-number")["number"]
    #expect(try await peer.ask("safety", ["user": "dora"])["digits"] == number)

    try await sendsFiles(built, peer, link, dora)
    try await peer.ask("close", ["link": link])
    #expect(try await peer.program.next("ended") { $0["link"] == link }["how"] == "own")
  }

  private func sendsFiles(
    _ built: BuiltPrograms, _ peer: DocumentedPeer, _ link: JSONValue, _ dora: JSONProgram
  ) async throws {
    let sources = try makeSources(built)
    for digest in [true, false] {
      try await peer.ask(
        "send",
        [
          "link": link, "digest": .bool(digest),
          "paths": .array(sources.map { .string($0.path) }),
        ])
      for source in sources {
        let file = try await dora.next("file") { $0["name"].string == source.lastPathComponent }
        #expect(file["from"] == "pia")
        let path = try #require(file["path"].string)
        #expect(path.hasPrefix(built.downloads("dora").appending(path: "pia/").path))
        #expect(try contents(URL(filePath: path)) == contents(source))
        try FileManager.default.removeItem(atPath: path)
      }
    }
  }

  /// A file of several CHUNKs, an empty one, and a folder.
  private func makeSources(_ built: BuiltPrograms) throws -> [URL] {
    _ = try built.makeFile("photos/one.png", 1_000)
    _ = try built.makeFile("photos/old/two.png", 70_000)
    _ = try built.makeFile("photos/old/nothing", 0)
    return [
      try built.makeFile("report.pdf", 300_000), try built.makeFile("empty", 0),
      URL(filePath: built.folder.file("photos")),
    ]
  }

  /// Every file at or below a place: path → bytes.
  private func contents(_ place: URL) throws -> [String: Data] {
    let paths = try? FileManager.default.subpathsOfDirectory(atPath: place.path)
    var found: [String: Data] = [:]
    for path in paths ?? [""] {
      let file = path.isEmpty ? place : place.appending(path: path)
      // A folder has no bytes.
      found[path] = (try? Data(contentsOf: file)) ?? Data()
    }
    return found
  }

  @Test(.timeLimit(.minutes(2))) func `it answers the links of commands`() async throws {
    let built = try await BuiltPrograms()
    try await built.makeUser("carl")
    let downloads = built.downloads("pia")
    try FileManager.default.createDirectory(at: downloads, withIntermediateDirectories: true)
    // It sends REKEY right after READY: what the commands then read of it is under the next key.
    let peer = try await built.makePeer("pia", listen: ["downloads": .string(downloads.path), "rekey": true])

    let chat = try built.secchat("carl", "chat", "pia", "Hello, Pia! 👋")
    let received = try await peer.program.next("chat")
    #expect((received["from"], received["text"]) == ("carl", "Hello, Pia! 👋"))
    let sent = try await chat.next("sent")
    #expect((sent["id"], sent["state"]) == (received["id"], "delivered"))
    #expect(try await chat.exitStatus() == 0)
    let ended = try await peer.program.next("ended") { $0["link"] == received["link"] }
    #expect(ended["how"] == "closed")

    let sources = try makeSources(built)
    let send = try built.secchat(
      "carl", "send", "--checksum", "pia", sources[0].path, sources[1].path, sources[2].path)
    try await peer.program.next("received")
    #expect(try await send.exitStatus() == 0)
    for source in sources {
      #expect(try contents(downloads.appending(path: source.lastPathComponent)) == contents(source))
    }
    let report = try await peer.program.next("file") { $0["path"] == "report.pdf" }
    let done = try await send.next("done") { $0["name"] == "report.pdf" }
    #expect(done["checksum"] == report["blake2b"])
    #expect(report["digest"] == true)
  }

  @Test(.timeLimit(.minutes(3))) func `it follows REKEY`() async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia")
    let link = try await peer.dial("dora")["link"]

    // A gibibyte and more in one direction takes a REKEY. The file has a size but no blocks.
    let size = 1 << 30 + 1 << 20
    let file = URL(filePath: built.folder.file("sparse"))
    #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
    try FileHandle(forWritingTo: file).truncate(atOffset: UInt64(size))
    let send = try built.secchat("dora", "send", "pia", file.path)
    let received = try await peer.program.next("file", within: .seconds(150))
    #expect((received["link"], received["bytes"].int) == (link, size))
    #expect(try await send.exitStatus() == 0)
    #expect(try await peer.ask("seen", ["link": link])["rekey"] == 1)

    try await peer.ask("chat", ["link": link, "text": "still here"])
    try await dora.next("message")
  }

  @Test(.timeLimit(.minutes(3))) func `it answers PING`() async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia")
    let link = try await peer.dial("dora")["link"]

    // The second PING shows that the answer to the first one counted: without it the link would have ended before.
    let deadline = ContinuousClock.now + .seconds(120)
    while try await peer.ask("seen", ["link": link])["ping"].int ?? 0 < 2 {
      try #require(ContinuousClock.now < deadline)
      try await Task.sleep(for: .milliseconds(100))
    }
    try await peer.ask("chat", ["link": link, "text": "still here"])
    try await dora.next("message")
  }

  @Test(.timeLimit(.minutes(2))) func `what is not one's own is refused`() async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    try await built.makeUser("carl")
    let peer = try DocumentedPeer()
    try await peer.ask("identity", ["name": "pia", "registry_key": built.key])
    try await peer.ask("connect", ["host": built.host, "port": built.port])
    await expect(peer, "register_elsewhere", fails: "bad request")
    await expect(peer, "register_name", ["user": "dora"], fails: "name taken")
    await expect(peer, "login", ["port": 0], fails: "login failed")
    try await peer.ask("register")
    try await peer.ask("login", ["port": try await peer.ask("listen", ["forged": true])["port"]])
    try await peer.ask("lookup", ["user": "dora"])
    await expect(peer, "register_as", ["user": "dora"], fails: "bad request")
    #expect(try await peer.ask("lookup", ["user": "dora"])["verdict"] == "same")

    // As initiator: the daemon reads a list that another key signed, and says nothing.
    let answer = try await peer.dial("dora", by: "dial_forged")
    #expect((answer["bytes"], answer["how"]) == (0, "cut"))

    // As responder: the command reads such a list, and does not send message 3, which has its own name in it.
    let chat = try built.secchat("carl", "chat", "pia", "a secret", "--timeout", "5s")
    let refused = try await peer.program.next("refused")
    #expect(refused["how"] == "cut")
    #expect(try await chat.exitStatus() == 4)
    #expect(peer.program.untaken("link").isEmpty && peer.program.untaken("chat").isEmpty)

    // A frame that does not authenticate ends a link that was good until then.
    try await peer.ask("listen")
    let good = try await peer.dial("dora")["link"]
    try await peer.ask("chat", ["link": good, "text": "good"])
    try await peer.ask("spoil", ["link": good])
    #expect(try await peer.program.next("ended") { $0["link"] == good }["how"] == "cut")
    #expect(try await dora.next("message")["text"] == "good")
    #expect(dora.untaken("message").isEmpty)
  }

  /// Something that the peer asks for and does not get, for the reason `why`.
  private func expect(
    _ peer: DocumentedPeer, _ method: String, _ arguments: [String: JSONValue] = [:], fails why: String?,
    _ location: SourceLocation = #_sourceLocation
  ) async {
    let error = await #expect(throws: DocumentedPeer.Failure.self, sourceLocation: location) {
      try await peer.ask(method, arguments)
    }
    if let why { #expect(error?.why == why, sourceLocation: location) }
  }
}
