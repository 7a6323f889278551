import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// Transfers over sealed links on real sockets.
@Suite struct FilesLinkTests {
  /// One end: hands over what comes, as a session does.
  @LoopActor final class Side {
    let link: SealedLink
    var outgoing: OutgoingTransfer?
    var incoming: IncomingTransfer?
    var offered: ((Offer) -> Void)?
    private(set) var ended: LinkError?

    init(_ link: SealedLink) { self.link = link }

    private enum Arrived {
      case message(PeerMessage)
      case chunk
    }

    func run() async {
      do throws(LinkError) {
        while true {
          let arrived = try await link.receive { (type, body) throws(WireError) -> Arrived in
            guard type == .chunk else { return .message(try PeerMessage(type: type, body: body)) }
            var reader = WireReader(body)
            _ = try ChunkHeader(body: &reader)
            try self.incoming?.take(chunk: reader.takeRest())
            return .chunk
          }
          guard case .message(let message) = arrived else { continue }
          switch message {
          case .offer(let offer): offered?(offer)
          case .entry, .end:
            do throws(WireError) { try incoming?.handle(message) } catch { throw .protocolError }
            await incoming?.room()
          default: outgoing?.handle(message)
          }
        }
      } catch {
        ended = error
        let gone = NodeError(.peerOffline, "the link ended")
        outgoing?.fail(gone)
        incoming?.fail(gone)
      }
    }
  }

  /// Both ends of a link over loopback; `near` has dialled.
  @LoopActor static func links() async throws -> (near: SealedLink, far: SealedLink) {
    let listener = try Listener(address: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    defer { listener.close() }
    let keys = try LinkKeyPair.random()
    let address = try #require(listener.address)
    let far = OneShot<SealedLink>()
    Loop.spawn {
      guard let stream = try? await listener.accept(),
        let link = try? await SealedLink.accept(stream, prologue: [1], local: keys)
      else { return far.fail(.closed) }
      far.fulfil(link)
    }
    let near = try await SealedLink.connect(
      ByteStream.connect(to: address, timeout: 60_000), prologue: [1], local: .random(),
      remote: keys.publicKey
    )
    return (near, try await far.wait(deadline: .now + 60_000))
  }

  @LoopActor func sides() async throws -> (near: Side, far: Side) {
    let links = try await Self.links()
    let pair = (Side(links.near), Side(links.far))
    Loop.spawn { await pair.0.run() }
    Loop.spawn { await pair.1.run() }
    return pair
  }

  @LoopActor func transfer(
    _ paths: [String], to target: TemporaryFolder, _ sides: (near: Side, far: Side)
  ) async throws -> OneShot<Bool> {
    let ended = OneShot<Bool>()
    sides.far.offered = { offer in
      // One offer a link; and this holds both sides.
      sides.far.offered = nil
      let transfer = IncomingTransfer(
        offer, from: "alice", downloads: target.path, channel: sides.far.link, promisedRoom: PromisedRoom()
      ) { _ in }
      sides.far.incoming = transfer
      sides.far.link.landing = transfer
      Loop.spawn {
        do throws(NodeError) {
          try await transfer.run()
          ended.fulfil(true)
        } catch {
          ended.fulfil(false)
        }
      }
    }
    sides.near.outgoing = OutgoingTransfer(
      paths: paths, to: "bob", stream: 1, id: Random.bytes(), channel: sides.near.link
    ) { _ in }
    return ended
  }

  @Test @LoopActor func aFileAndATree() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let target = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(50_000_000)
    try source.write("large", bytes)
    for number in 0..<1_000 { try source.write("tree/\(number % 10)/\(number)", randomBytes(16 << 10)) }
    let sides = try await sides()
    let ended = try await transfer([source.file("large"), source.file("tree")], to: target, sides)
    try await sides.near.outgoing?.run()
    #expect(try await ended.wait(deadline: .now + 60_000))
    #expect(contents(target.file("alice/large")) == bytes)
    #expect(listing(target.file("alice")) == listing(source.path))
    #expect(contents(target.file("alice/tree/7/77")) == contents(source.file("tree/7/77")))
    sides.near.link.close()
  }

  /// Other large frames, which land where a file's data is wanted, do the file no harm.
  @Test @LoopActor func otherFramesInBetween() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let target = try TemporaryFolder(inMemory: true)
    for number in 0..<40 { try source.write("tree/\(number)", randomBytes(number * 20_011)) }
    let sides = try await sides()
    let ended = try await transfer([source.file("tree")], to: target, sides)
    let chat = Chat.unreadable(bytes: SecchatCore.Limits.chatText)
    var chats = 0
    let other = Loop.spawn {
      while sides.near.outgoing?.isOver != true {
        sides.near.link.send(chat)
        chats += 1
        do throws(LinkError) { try await sides.near.link.drain() } catch { return }
        await Task.yield()
      }
    }
    try await sides.near.outgoing?.run()
    await other.value
    #expect(chats > 10)
    #expect(try await ended.wait(deadline: .now + 60_000))
    for name in listing(source.path) {
      #expect(contents(target.file("alice/" + name)) == contents(source.file(name)))
    }
    sides.near.link.close()
  }

  /// The link dies in the middle: both sides notice, and nothing incomplete stays.
  @Test @LoopActor func aLinkThatDies() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let target = try TemporaryFolder(inMemory: true)
    let path = try source.write("large", randomBytes(50_000_000))
    let sides = try await sides()
    let ended = try await transfer([path], to: target, sides)
    let outgoing = try #require(sides.near.outgoing)
    Loop.spawn {
      _ = await eventually { (sides.far.incoming?.queuedBytes ?? 0) > 0 }
      sides.far.link.abort()
    }
    await #expect(throws: NodeError.self) { try await outgoing.run() }
    #expect(try await ended.wait(deadline: .now + 60_000) == false)
    #expect(listing(target.file("alice")).isEmpty)
    #expect(outgoing.isOver)
  }
}
