import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct WireMessageTests {
  @Test func `every message of a link and a registry has one form`() {
    checkWire(Ping())
    checkWire(Pong())
    checkWire(Rekey())
    for reason in Close.Reason.allCases { checkWire(Close(reason: reason)) }
    checkWire(Messages.register(Users.bytes(0x99)))
    checkWire(Messages.registered)
    checkWire(Registered(request: .max, already: true))
    checkWire(Messages.login)
    checkWire(Messages.loggedIn)
    checkWire(LoggedIn(request: 0, address: Messages.bobAddress, life: 0, heartbeat: .max))
    checkWire(Messages.list)
    checkWire(List(request: 7, after: nil))
    checkWire(Messages.listed)
    checkWire(Listed(request: 7, more: false, entries: []))
    checkWire(Messages.lookup)
    checkWire(Messages.found)
    checkWire(Found(request: 7, address: nil, list: Users.bobList.encoded))
    checkWire(Messages.heartbeat)
    checkWire(Messages.alive)
    checkWire(Messages.logout)
    checkWire(Messages.loggedOut)
    checkWire(Messages.watch)
    checkWire(Watch(request: 7, add: false, names: []))
    checkWire(Messages.watching)
    checkWire(Messages.presence)
    checkWire(Presence(name: Messages.bobsName, address: nil))
    checkWire(Messages.publish)
    checkWire(Messages.publishNothing)
    checkWire(Publish(request: 7, replace: true, used: [1, .max]))
    checkWire(Messages.published)
    checkWire(Published(request: 7, signed: 0, left: .max))
    checkWire(Messages.stock)
    checkWire(Messages.fetch)
    checkWire(Messages.fetchWithReset(Users.bytes(0x99)))
    checkWire(Messages.bundle)
    checkWire(Messages.bundleWithoutOneTime)
    for reason in Failure.Reason.allCases { checkWire(Failure(request: 7, reason: reason, wait: 3)) }
  }

  @Test func `every message of peers has one form`() {
    checkWire(Messages.ready)
    checkWire(Ready(stream: .max, limit: .max))
    checkWire(Messages.chat)
    checkWire(Messages.inquire)
    checkWire(Messages.prekeys)
    checkWire(Prekeys(offer: PrekeyOffer(signed: Users.bobsSignedPrekey, oneTime: nil)))
    checkWire(Messages.ack)
    checkWire(Ack(id: Messages.id, part: .max))
    for reason in Refuse.Reason.allCases { checkWire(Refuse(id: Messages.id, reason: reason)) }
    checkWire(Messages.offer)
    checkWire(Messages.accept)
    checkWire(Messages.acceptHeld)
    checkWire(Messages.resume)
    checkWire(Messages.entry)
    checkWire(
      Entry(stream: 2, item: 9, kind: .file, executable: true, modified: .max, size: .max, path: "a/b"))
    checkWire(
      Entry(stream: 2, item: 9, kind: .folder, executable: false, modified: 0, size: 0, path: "ordner/ü"))
    checkWire(Messages.end)
    checkWire(Messages.endWithoutDigest)
    for reason in Cancel.Reason.allCases { checkWire(Cancel(stream: 1, reason: reason)) }
  }

  @Test func `a request is read as what its type says`() throws {
    let cases: [(FrameType, [UInt8], RegistryRequest)] = [
      (.register, Messages.register([]).encoded, .register(Messages.register([]))),
      (.login, Messages.login.encoded, .login(Messages.login)),
      (.list, Messages.list.encoded, .list(Messages.list)),
      (.lookup, Messages.lookup.encoded, .lookup(Messages.lookup)),
      (.heartbeat, Messages.heartbeat.encoded, .heartbeat(Messages.heartbeat)),
      (.logout, Messages.logout.encoded, .logout(Messages.logout)),
      (.watch, Messages.watch.encoded, .watch(Messages.watch)),
      (.publish, Messages.publish.encoded, .publish(Messages.publish)),
      (.fetch, Messages.fetch.encoded, .fetch(Messages.fetch)),
    ]
    for (type, encoded, expected) in cases {
      #expect(encoded.first == type.rawValue)
      let body = Array(encoded.dropFirst())
      #expect(try RegistryRequest(type: type, body: body.raw) == expected)
      let longer = body + [0]
      #expect(throws: WireError.trailing) { try RegistryRequest(type: type, body: longer.raw) }
    }
    refuses(allBut: cases.map(\.0)) { type, body throws(WireError) in
      _ = try RegistryRequest(type: type, body: body)
    }
  }

  @Test func `an answer is read as what its type says, and names its request`() throws {
    let cases: [(FrameType, [UInt8], RegistryAnswer)] = [
      (.registered, Messages.registered.encoded, .registered(Messages.registered)),
      (.loggedIn, Messages.loggedIn.encoded, .loggedIn(Messages.loggedIn)),
      (.listed, Messages.listed.encoded, .listed(Messages.listed)),
      (.found, Messages.found.encoded, .found(Messages.found)),
      (.alive, Messages.alive.encoded, .alive(Messages.alive)),
      (.loggedOut, Messages.loggedOut.encoded, .loggedOut(Messages.loggedOut)),
      (.watching, Messages.watching.encoded, .watching(Messages.watching)),
      (.published, Messages.published.encoded, .published(Messages.published)),
      (.bundle, Messages.bundle.encoded, .bundle(Messages.bundle)),
      (.failure, Messages.failure.encoded, .failure(Messages.failure)),
      (.presence, Messages.presence.encoded, .presence(Messages.presence)),
      (.stock, Messages.stock.encoded, .stock(Messages.stock)),
    ]
    for (type, encoded, expected) in cases {
      #expect(encoded.first == type.rawValue)
      let body = Array(encoded.dropFirst())
      let answer = try RegistryAnswer(type: type, body: body.raw)
      #expect(answer == expected)
      #expect(answer.request == ([.presence, .stock].contains(type) ? nil : 7))
      let longer = body + [0]
      #expect(throws: WireError.trailing) { try RegistryAnswer(type: type, body: longer.raw) }
    }
    refuses(allBut: cases.map(\.0)) { type, body throws(WireError) in
      _ = try RegistryAnswer(type: type, body: body)
    }
  }

  @Test func `a peer's message is read as what its type says`() throws {
    let cases: [(FrameType, [UInt8], PeerMessage)] = [
      (.ready, Messages.ready.encoded, .ready(Messages.ready)),
      (.chat, Messages.chat.encoded, .chat(Messages.chat)),
      (.ack, Messages.ack.encoded, .ack(Messages.ack)),
      (.refuse, Messages.refuse.encoded, .refuse(Messages.refuse)),
      (.inquire, Messages.inquire.encoded, .inquire(Messages.inquire)),
      (.prekeys, Messages.prekeys.encoded, .prekeys(Messages.prekeys)),
      (.offer, Messages.offer.encoded, .offer(Messages.offer)),
      (.accept, Messages.accept.encoded, .accept(Messages.accept)),
      (.entry, Messages.entry.encoded, .entry(Messages.entry)),
      (.end, Messages.end.encoded, .end(Messages.end)),
      (.cancel, Messages.cancel.encoded, .cancel(Messages.cancel)),
      (.resume, Messages.resume.encoded, .resume(Messages.resume)),
    ]
    for (type, encoded, expected) in cases {
      #expect(encoded.first == type.rawValue)
      let body = Array(encoded.dropFirst())
      #expect(try PeerMessage(type: type, body: body.raw) == expected)
      let longer = body + [0]
      #expect(throws: WireError.trailing) { try PeerMessage(type: type, body: longer.raw) }
    }
    refuses(allBut: cases.map(\.0)) { type, body throws(WireError) in
      _ = try PeerMessage(type: type, body: body)
    }
  }

  private func refuses(
    allBut types: [FrameType], _ read: (FrameType, RawSpan) throws(WireError) -> Void
  ) {
    for type in FrameType.allCases where !types.contains(type) {
      #expect(throws: WireError.malformed, "\(type)") { try read(type, RawSpan()) }
    }
  }

  @Test func `no two frame types share a byte, and each part has its own`() {
    let bytes = FrameType.allCases.map(\.rawValue)
    #expect(Set(bytes).count == bytes.count)
    #expect(FrameType(rawValue: 0x00) == nil)
    #expect(FrameType(rawValue: 0xff) == nil)
  }

  @Test func `a chunk's header stands before its data`() throws {
    func header(_ bytes: [UInt8]) throws(WireError) -> (ChunkHeader, Int) {
      var reader = WireReader(bytes.raw)
      let header = try ChunkHeader(body: &reader)
      return (header, reader.remaining)
    }
    let (stream, count) = try header(Array(Messages.chunk.dropFirst()))
    #expect(stream == ChunkHeader(stream: 1))
    #expect(count == 5)
    #expect(throws: WireError.truncated) { try header([0, 0, 0, 1]) }
    #expect(throws: WireError.truncated) { try header([0, 0, 0]) }
    let most = [UInt8](repeating: 1, count: 4 + Limits.chunkData)
    #expect(try header(most).1 == Limits.chunkData)
    #expect(throws: WireError.tooLong) { try header(most + [1]) }
  }
}
