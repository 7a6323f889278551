import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// A profile's node in this process, online at a registry that may lie.
@LoopActor final class NodeAtWork {
  let node: Node
  private let folder: TemporaryFolder
  private(set) var events: [Event] = []

  init(_ name: String, at registry: LyingRegistry) async throws {
    folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/" + name)
    let passphrase = Passphrase(Array("correct horse".utf8).raw)
    _ = try await KeyStore.generate(in: home, passphrase: passphrase, now: 1)
    let key = try KeyStore.load(home)
    let identity = try await KeyStore.unlock(key, in: home, passphrase: passphrase)
    node = try await Node.open(home, identity: identity, stays: true)
    _ = node.subscribe { [weak self] in self?.events.append($0) }
    try await node.save { $0.listen = "127.0.0.1:0" }
    let user = "\(name)@127.0.0.1:\(registry.port)"
    let node = node
    _ = await ask(.register(user: user, registryKey: registry.keyText))
    try #require(await eventually { node.client?.isOnline ?? false })
  }

  @discardableResult
  func ask(_ request: Request) async -> (status: SecchatNode.ExitStatus, events: [Event]) {
    let heard = Box<[Event]>([])
    let status = await node.perform(request) { heard.value.append($0) }
    return (status, heard.value)
  }

  /// Sends a message.
  ///
  /// - Returns: how it ended, and what the user read of it.
  func chat(_ user: String, timeout: Double = 20) async -> (status: SecchatNode.ExitStatus, error: String?) {
    let id = Hex.encode(randomBytes(16))
    let (status, events) = await ask(.chat(user: user, id: id, text: "for your eyes", timeout: timeout))
    guard case .error(let error)? = events.last else { return (status, nil) }
    return (status, error.message)
  }

  /// Ends every conversation, so that the next message needs a new one.
  func hangUp() async throws {
    node.sessions.close(.done)
    try #require(await eventually { node.sessions.isEmpty })
  }

  func account(_ name: String) throws -> Account { try node.target(name) }

  var texts: [String] {
    events.compactMap { if case .message(let message) = $0 { message.text } else { nil } }
  }
  /// Takes everything back that waits, and lets the attempts to deliver it end.
  func forgetWaiting() async throws {
    for event in await ask(.outbox).events {
      guard case .message(let message) = event else { continue }
      #expect(await ask(.cancel(id: message.id)).status == .done)
    }
    try #require(await eventually { node.dials.isEmpty })
  }

  /// Messages that are not confirmed.
  var waiting: Int { node.conversations.all.reduce(0) { $0 + $1.waiting.count } }
  var resets: Int { events.count { if case .sessionReset = $0 { true } else { false } } }
  var changes: Int { events.count { if case .keyChange = $0 { true } else { false } } }
}

/// Somebody with an account and a key, and no program but what a test does by hand.
@LoopActor struct Stranger {
  let identity: SecretIdentity
  let list: SignedDeviceList
  /// As which device of the list he writes.
  var device: UInt32 = 1
  let letters = Letters()

  init(_ name: String, at registry: LyingRegistry) throws {
    identity = try SecretIdentity.generate(now: 1)
    let account = Account(name: try #require(UserName(name)), registry: registry.key.publicKey)
    list = try #require(identity.firstDeviceList(for: account))
    registry.enrol(list)
  }

  var account: Account { list.list.account }
  var hello: [UInt8] { Hello(device: 1, list: list).encoded }

  /// A link to somebody's node; whether that keeps it, the first frame tells.
  func dial(_ other: NodeAtWork) async throws -> SealedLink {
    let theirs = try other.node.ownList().list
    let device = try #require(theirs.devices.first)
    let stream = try await ByteStream.connect(to: try #require(other.node.listener?.address), timeout: 60_000)
    let hello = hello
    let link = try await SealedLink.connect(
      stream, prologue: Prologue.peer(theirs.account, device: device.id), local: identity.link,
      remote: device.link
    ) { (_) throws(LinkError) in hello }
    letters.note(other, at: link)
    return link
  }

  /// Whether the node at the other end has taken the link: it grants credit at once.
  func isTaken(_ link: SealedLink) async -> Bool {
    link.deadline = .now + 60_000
    defer { link.deadline = nil }
    do throws(LinkError) {
      _ = try await link.receive { (type, _) throws(WireError) in type }
      return true
    } catch {
      #expect(error != .network(.timedOut))
      return false
    }
  }

  /// The link of somebody who dialled in turn.
  func accept(_ stream: ByteStream) async throws -> SealedLink {
    try await SealedLink.accept(
      stream, prologue: Prologue.peer(account, device: 1), local: identity.link, payload: hello)
  }

  /// A message for the node at the other end of a link that this one has dialled.
  func chat(_ text: String, on link: SealedLink) async throws -> Chat {
    try await letters.chat(.text(text), as: self, on: link)
  }

  /// The word that a message of the node at the other end was read.
  func receipt(for id: MessageID, on link: SealedLink) async throws -> Chat {
    try await letters.chat(.read([id]), as: self, on: link)
  }

  /// What is said who asks for prekeys; nobody keeps their secrets.
  func prekeys() throws -> Prekeys {
    let key = try AgreementPrivateKey<SignedPrekeyPurpose>.random().publicKey
    return Prekeys(
      offer: PrekeyOffer(
        signed: SignedPrekey(
          signing: key, id: 1, expires: .max, for: account, device: 1, with: identity.signing), oneTime: nil))
  }

  /// Sends a message by hand, and waits until it is confirmed.
  func say(_ text: String, on link: SealedLink) async throws {
    try await deliver(try await chat(text, on: link), on: link)
  }

  func deliver(_ chat: Chat, on link: SealedLink) async throws {
    link.deadline = .now + 60_000
    defer { link.deadline = nil }
    link.send(chat)
    link.flush()
    while try await link.receive({ (type, _) throws(WireError) in type }) != .ack {}
  }
}
