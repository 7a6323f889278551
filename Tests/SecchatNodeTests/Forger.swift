import SecchatCrypto
import SecchatLink
import SecchatNet
import Testing

@testable import SecchatCore
@testable import SecchatNode

/// An initiator that computes the tokens of XK by hand, so that it may claim a key whose private half it lacks.
@LoopActor final class Forger {
  let stream: ByteStream
  let ephemeral: LinkKeyPair
  /// The responder's ephemeral key.
  private(set) var theirs = LinkPublicKey(FixedBytes())
  private var state = SymmetricState<SHA256>(protocolName: "Noise_XK_25519_ChaChaPoly_SHA256")

  private init(_ stream: ByteStream) throws {
    self.stream = stream
    ephemeral = try .random()
  }

  /// Goes as far as anybody can who knows a node's public key: to its answer.
  static func dial(_ other: NodeAtWork) async throws -> Forger {
    let list = try other.node.ownList().list
    let device = try #require(list.devices.first)
    let forger = try Forger(await other.stream())
    try await forger.greet(device.link, Prologue.peer(list.account, device: device.id))
    return forger
  }

  private func greet(_ key: LinkPublicKey, _ prologue: [UInt8]) async throws {
    state.mixHash(prologue.raw)
    let name = key.raw.array
    state.mixHash(name.raw)
    // -> e, es
    var first = ephemeral.publicKey.raw.array
    state.mixHash(first.raw)
    try mix(Self.shared(ephemeral, key))
    try state.encryptAndHash(RawSpan(), appendingTo: &first)
    stream.say([1] + framed(first))
    // <- e, ee
    let second = try await stream.message()
    theirs = LinkPublicKey(try #require(FixedBytes<32>(Array(second[..<32]))))
    let (key, payload) = (Array(second[..<32]), Array(second[32...]))
    state.mixHash(key.raw)
    try mix(Self.shared(ephemeral, theirs))
    _ = try state.decryptAndHash(payload.raw)
  }

  private func mix(_ shared: [UInt8]) { state.mixKey(shared.raw) }

  /// -> s, se: claims a key, with these bytes for what only its owner and the responder can compute.
  ///
  /// - Returns: whether the node took it: it grants credit at once.
  func claim(_ key: LinkPublicKey, _ se: [UInt8], saying hello: [UInt8]) async throws -> Bool {
    var third: [UInt8] = []
    let name = key.raw.array
    try state.encryptAndHash(name.raw, appendingTo: &third)
    mix(se)
    try state.encryptAndHash(hello.raw, appendingTo: &third)
    stream.say(framed(third))
    do throws(NetError) {
      try await stream.fill(atLeast: 1, deadline: .now + 60_000)
      return true
    } catch {
      #expect(error != .timedOut)
      return false
    }
  }

  static func shared(_ pair: LinkKeyPair, _ key: LinkPublicKey) throws -> [UInt8] {
    let secret = try pair.privateKey.sharedSecret(with: key)
    return secret.bytes.array
  }
}

/// A handshake message with its length.
func framed(_ message: [UInt8]) -> [UInt8] {
  [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
}

extension ByteStream {
  func say(_ bytes: [UInt8]) {
    write(bytes.raw)
    flush()
  }

  /// The next bytes, waited for.
  func take(_ count: Int) async throws(NetError) -> [UInt8] {
    try await fill(atLeast: count, deadline: .now + 60_000)
    let bytes = withBuffered { (span: inout MutableRawSpan) in span.bytes.extracting(0..<count).array }
    consume(count)
    return bytes
  }

  /// The next message, of a handshake or of a link, without its length.
  func message() async throws(NetError) -> [UInt8] {
    let head = try await take(2)
    return try await take(Int(head[0]) << 8 | Int(head[1]))
  }

  /// How much comes until the other side ends the connection; nil where it does not.
  func countToEnd() async -> Int? {
    var count = 0
    while true {
      do throws(NetError) { count += try await take(1).count } catch {
        return error == .closed || error == .reset ? count : nil
      }
    }
  }
}

/// What somebody who came has left behind.
struct Remains: Equatable {
  let events: Int
  let contacts: [Contact]
}

extension NodeAtWork {
  var remains: Remains { Remains(events: events.count, contacts: node.contacts.all) }

  /// A connection to this node, nothing sent.
  func stream() async throws -> ByteStream {
    try await .connect(to: try #require(node.listener?.address), timeout: 60_000)
  }

  /// A link to this node under a key, with these bytes for HELLO.
  func dialled(by key: LinkKeyPair, saying hello: [UInt8]) async throws -> SealedLink {
    let theirs = try node.ownList().list
    let device = try #require(theirs.devices.first)
    let stream = try await stream()
    return try await SealedLink.connect(
      stream, prologue: Prologue.peer(theirs.account, device: device.id), local: key, remote: device.link
    ) { (_) throws(LinkError) in hello }
  }
}

extension Stranger {
  /// Somebody who has a list that a test made.
  init(_ identity: SecretIdentity, _ list: SignedDeviceList, device: UInt32 = 1) {
    self.identity = identity
    self.list = list
    self.device = device
  }

  /// A list of this identity's after the first, signed by it and vouched for by its first device.
  func next(_ devices: [Device], version: UInt64 = 2, for account: Account? = nil) throws -> SignedDeviceList
  {
    let next = try #require(
      DeviceList(
        identity: identity.identity.publicKey, account: account ?? self.account, version: version,
        previous: list.hash, devices: devices))
    return SignedDeviceList(
      signing: next, with: identity.identity,
      continuity: (id: 1, sign: { label, bytes in identity.signing.sign(label: label, message: bytes.raw) }))
  }
}

extension SecretIdentity {
  /// Its device as one of somebody's list.
  func device(_ id: UInt32) -> Device {
    Device(
      id: id, link: link.publicKey, messaging: messaging.publicKey, signing: signing.publicKey, created: 2)
  }
}
