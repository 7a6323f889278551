import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// What somebody who writes by hand has with each node.
@LoopActor final class Letters {
  private var correspondences: [Account: Correspondence] = [:]
  private var nodes: [ObjectIdentifier: Node] = [:]

  nonisolated init() {}

  /// Whose node is at the other end of a link.
  func note(_ node: NodeAtWork, at link: SealedLink) { nodes[ObjectIdentifier(link)] = node.node }

  /// A message in a session with the node at the other end, which is asked for its prekeys where there is none yet.
  func chat(_ body: Message.Body, as sender: Stranger, on link: SealedLink) async throws -> Chat {
    let node = try #require(nodes[ObjectIdentifier(link)])
    let list = try node.ownList().list
    let ours = try #require(Party(sender.device, on: sender.list.list))
    var correspondence = correspondences[list.account] ?? Correspondence()
    if correspondence.needsBundle {
      link.send(Inquire())
      link.flush()
      let bundle = try PrekeyBundle(verifying: try await Self.offer(on: link), of: 1, on: list, now: 0)
      try correspondence.begin(with: bundle, as: ours, sender.identity)
    }
    let message = Message(id: Random.bytes(), sent: 0, body: body)
    let sealed = try correspondence.seal(message)
    // Nobody here loses what was sent.
    correspondence.confirm(sealed)
    correspondences[list.account] = correspondence
    return Chat(id: message.id, first: true, envelope: sealed.envelope)
  }

  private static func offer(on link: SealedLink) async throws -> PrekeyOffer {
    while true {
      let message = try await link.receive { (type, body) throws(WireError) in
        try PeerMessage(type: type, body: body)
      }
      if case .prekeys(let prekeys) = message { return prekeys.offer }
    }
  }
}

extension Chat {
  /// One that no session opens, of the length of a text of so many bytes.
  static func unreadable(_ id: MessageID = Random.bytes(), bytes: Int = 1) -> Chat {
    let content = Content(
      sequence: 1, previous: FixedBytes(),
      message: Message(id: id, sent: 0, body: .text(String(repeating: "x", count: bytes))))
    return Chat(
      id: id, first: true,
      envelope: Envelope(
        session: Random.bytes(), initiation: nil,
        header: RatchetHeader(key: RatchetPublicKey(Random.bytes()), previous: 0, number: 0),
        sealed: [UInt8](repeating: 7, count: content.encoded.count + XChaChaPoly.nonceLength + aeadTagLength))
    )
  }
}
