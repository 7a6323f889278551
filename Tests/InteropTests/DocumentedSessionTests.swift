import Foundation
import TestSupport
import Testing

/// Sealed messages between the built programs and the client in Python that was written from docs/protocol.md alone.
@Suite struct DocumentedSessionTests {
  @Test(.timeLimit(.minutes(2))) func `the registry keeps its prekeys and gives out those of others`()
    async throws
  {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia", prekeys: nil)
    try await peer.ask("lookup", ["user": "pia"])
    await #expect(throws: DocumentedPeer.Failure(how: "failure", why: "no prekeys")) {
      try await peer.ask("fetch", ["user": "pia"])
    }
    let published = try await peer.ask("publish", ["signed": true, "count": 20])
    #expect((published["signed"], published["left"]) == (true, 20))
    #expect(try await peer.ask("publish")["left"] == 20)

    // The daemon leaves its own a moment after it has come online. Who asks again gets the same one.
    try await peer.ask("lookup", ["user": "dora"])
    let fetched = try await eventually("prekeys of dora") {
      try? await peer.ask("fetch", ["user": "dora"])
    }
    #expect(fetched["one_time"].int != nil)
    #expect(try await peer.ask("fetch", ["user": "dora"])["one_time"] == fetched["one_time"])

    // One is given out and used.
    let chat = try built.secchat("dora", "chat", "pia", "Hello, Pia! 👋")
    #expect(try await peer.program.next("stock")["left"] == 19)
    let message = try await peer.program.next("chat")
    #expect((message["begins"], message["one_time"].int != nil) == (true, true))
    #expect(try await chat.exitStatus() == 0)
    let reported = try await peer.ask("publish", ["count": 3])
    #expect((reported["left"], reported["used"]) == (22, 1))
    #expect(try await peer.ask("publish", ["replace": true, "signed": true, "count": 1])["left"] == 1)
    #expect(dora.untaken("error").isEmpty)
  }

  @Test(.timeLimit(.minutes(2)), arguments: [true, false], [true, false])
  func `whoever begins, both go on in that session`(peerBegins: Bool, byRegistry: Bool) async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia", prekeys: byRegistry ? 100 : nil)
    if !byRegistry { try await peer.ask("ask_peers") }
    let link = try await peer.dial("dora")["link"]
    if peerBegins {
      if byRegistry { try await waitForPrekeys(of: "dora", peer) }
      let id = try await peer.ask("chat", ["link": link, "text": "first"])["id"]
      #expect(try await peer.program.next("begins")["by"] == (byRegistry ? "registry" : "peer"))
      #expect(try await dora.next("message")["id"] == id)
    }
    let session = try await says(built, peer, "one", begins: !peerBegins)
    #expect(peer.program.untaken("inquired").count == (peerBegins || byRegistry ? 0 : 1))
    for number in 0..<3 {
      let text = JSONValue.string("turn \(number)")
      try await peer.ask("chat", ["link": link, "text": text])
      #expect(try await dora.next("message")["text"] == text)
      #expect(try await says(built, peer, "answer \(number)", begins: false) == session)
    }
    let ours = try await peer.ask("session", ["user": "dora"])
    #expect((ours["session"], ours["ours"], ours["count"]) == (session, .bool(peerBegins), 1))
    #expect(peer.program.untaken("begins").isEmpty)

    // A person has seen what dora said last.
    let said = try built.secchat("dora", "chat", "pia", "seen?", "--wait", "read")
    let id = try await peer.program.next("chat")["id"]
    try await peer.ask("read", ["link": link, "ids": [id]])
    #expect(try await said.next("sent", or: "error")["state"] == "read")
    #expect(try await said.exitStatus() == 0)
    #expect(dora.untaken("session-reset").isEmpty)
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["below", "above"])
  func `where both begin at once, one session stays`(place: String) async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let key = try await built.secchat("dora", "key", "show").next("identity")["key"]
    let peer = try await built.makePeer("pia", identity: [place: key])
    let link = try await peer.dial("dora")["link"]
    try await waitForPrekeys(of: "dora", peer)
    try await peer.ask("hold", ["link": link])
    let chat = try built.secchat("dora", "chat", "pia", "from dora")
    let id = try await peer.ask("chat_at_once", ["link": link, "text": "from pia"])["id"]
    let received = try await peer.program.next("chat")
    #expect((received["text"], received["begins"]) == ("from dora", true))
    #expect(try await dora.next("message")["id"] == id)
    #expect(try await chat.exitStatus() == 0)

    // That of the lower identity key, for both sides.
    let stays = try await peer.ask("session", ["user": "dora"])
    #expect((stays["ours"], stays["count"]) == (.bool(place == "below"), 2))
    #expect((stays["session"] == received["session"]) == (place == "above"))
    for number in 0..<3 {
      #expect(try await says(built, peer, "\(number)", begins: false) == stays["session"])
      try await peer.ask("chat", ["link": link, "text": .string("\(number)")])
      #expect(try await dora.next("message")["text"] == .string("\(number)"))
    }
    #expect(try await peer.ask("session", ["user": "dora"])["session"] == stays["session"])
    #expect(peer.program.untaken("refuses").isEmpty && peer.program.untaken("refusal").isEmpty)
  }

  @Test(.timeLimit(.minutes(2))) func `what a broken link did not confirm is sent again, and shown once`()
    async throws
  {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia")
    var link = try await peer.dial("dora")["link"]

    // Theirs: kept here, but the link ends before the ACK.
    try await peer.ask("cut_instead", ["link": link])
    let chat = try built.secchat("dora", "chat", "pia", "to pia")
    let received = try await peer.program.next("chat")
    let again = try await peer.program.next("known")
    #expect((again["id"], again["link"] == link) == (received["id"], false))
    #expect(try await chat.exitStatus() == 0)
    #expect(try await chat.next("sent")["id"] == received["id"])

    // Ours: shown there, but the link ends before the ACK is read.
    link = try await peer.dial("dora")["link"]
    let id = try await peer.ask("chat_unconfirmed", ["link": link, "text": "to dora"])["id"]
    #expect(try await dora.next("message")["id"] == id)
    try await peer.ask("cut", ["link": link])
    link = try await peer.dial("dora")["link"]
    #expect(try await peer.ask("deliver", ["link": link])["waiting"] == 0)
    try await peer.ask("chat", ["link": link, "text": "after"])
    #expect(try await dora.next("message")["text"] == "after")
    try await says(built, peer, "after", begins: false)
    #expect(peer.program.untaken("chat").isEmpty && dora.untaken("message").isEmpty)
    #expect(dora.untaken("session-reset").isEmpty)
  }

  @Test(.timeLimit(.minutes(2)), arguments: [false, true])
  func `a session that one side has lost is begun anew`(losesPlaces: Bool) async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let peer = try await built.makePeer("pia")
    let link = try await peer.dial("dora")["link"]
    let before = try await says(built, peer, "before", begins: true)
    try await peer.ask("chat", ["link": link, "text": "before"])
    #expect(try await dora.next("message")["text"] == "before")
    // Until it is reported used, dora would be given the same one-time prekey once more.
    #expect(try await peer.ask("publish")["used"] == 1)

    // Ours: the first of those that are on their way is refused, the others with it, and all come in their order.
    try await peer.ask("forget", ["user": "dora", "places": .bool(losesPlaces)])
    try await peer.ask("hold", ["link": link])
    for text in ["a", "b", "c"] {
      let chat = try built.secchat("dora", "chat", "pia", text, "--wait", "queued")
      #expect(try await chat.exitStatus() == 0)
    }
    try await peer.ask("release", ["link": link, "count": 3])
    var refused: [JSONValue] = []
    for _ in 0..<3 { refused.append(try await peer.program.next("refuses")["reason"]) }
    #expect(refused == ["undecryptable", "out of turn", "out of turn"])
    #expect(try await dora.next("session-reset")["reason"] == "theirs")
    for (index, text) in ["a", "b", "c"].enumerated() {
      let message = try await peer.program.next("chat")
      #expect(message["text"] == .string(text))
      #expect(message["begins"] == .bool(index == 0))
      #expect(message["session"] != before)
      // Who has lost count reads that there was something before.
      #expect(message["news"] == (losesPlaces && index == 0 ? "missing 1" : .null))
    }

    // Theirs: a session that dora has never had.
    try await peer.ask("begin_wrongly", ["link": link, "how": "silently"])
    try await peer.ask("chats", ["link": link, "texts": ["d", "e", "f"]])
    #expect(try await peer.program.next("refusal")["reason"] == "undecryptable")
    for text in ["d", "e", "f"] { #expect(try await dora.next("message")["text"] == .string(text)) }
    try await says(built, peer, "after", begins: false)
    #expect(peer.program.untaken("refuses") == [])
    #expect(peer.program.untaken("chat") == [])
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["below", "above"])
  func `prekeys that are not there any more are replaced by others`(place: String) async throws {
    let built = try await BuiltPrograms()
    let dora = try await built.makeDaemon("dora")
    let key = try await built.secchat("dora", "key", "show").next("identity")["key"]
    let peer = try await built.makePeer("pia", identity: [place: key])
    let link = try await peer.dial("dora")["link"]

    // The registry has prekeys of pia that pia has not: in the end pia's own word counts.
    try await peer.ask("lose_prekeys")
    let first = try await says(built, peer, "to pia", begins: true)
    #expect(try await peer.program.next("refuses")["reason"] == "unknown prekey")
    try await peer.program.next("inquired")

    // A one-time prekey by an id that dora has not: the one that did not work is reset, and another comes in its place.
    try await waitForPrekeys(of: "dora", peer)
    try await peer.ask("begin_wrongly", ["link": link, "how": "prekey"])
    let wrong = try await peer.program.next("begins")["one_time"]
    let id = try await peer.ask("chat", ["link": link, "text": "to dora"])["id"]
    #expect(try await peer.program.next("refusal")["reason"] == "unknown prekey")
    let right = try await peer.program.next("begins")
    #expect((right["by"], right["failed"]) == ("registry", wrong))
    #expect(right["one_time"] != wrong && right["one_time"].int != nil)
    #expect(try await dora.next("message")["id"] == id)
    // Each has begun a session that the other has; they come to one.
    let session = try await says(built, peer, "after", begins: false)
    try await peer.ask("chat", ["link": link, "text": "after"])
    try await dora.next("message")
    #expect(try await says(built, peer, "at last", begins: false) == session)
    let ours = try await peer.ask("session", ["user": "dora"])
    #expect((ours["session"], ours["ours"]) == (session, .bool(place == "below")))
    #expect((session == first) == (place == "above"))
  }

  /// Dora says something, which arrives; the session that it came in.
  @discardableResult
  private func says(
    _ built: BuiltPrograms, _ peer: DocumentedPeer, _ text: String, begins: Bool,
    _ location: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let chat = try built.secchat("dora", "chat", "pia", text)
    let message = try await peer.program.next("chat")
    #expect(message["text"] == .string(text), sourceLocation: location)
    #expect(message["begins"] == .bool(begins), sourceLocation: location)
    #expect(message["news"] == .null, sourceLocation: location)
    #expect(try await chat.exitStatus() == 0, sourceLocation: location)
    return message["session"]
  }

  /// A daemon leaves its prekeys at the registry a moment after it has come online.
  private func waitForPrekeys(of user: String, _ peer: DocumentedPeer) async throws {
    try await eventually("prekeys of \(user)") {
      (try? await peer.ask("fetch", ["user": .string(user)])) != nil
    }
  }
}
