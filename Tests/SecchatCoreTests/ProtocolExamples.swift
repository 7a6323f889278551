import SecchatCore
import SecchatCrypto
import TestSupport

/// Every example of `docs/protocol.md`, made by the code from the inputs of its appendix A.
enum ProtocolExamples {
  /// A tag and a name (`hex chat`) and what stands in that block.
  static func all() throws -> [String: String] {
    var texts = [
      "identity-key-text": KeyText.encode(Users.alice.identity.publicKey),
      "registry-key-text": KeyText.encode(registry: Users.registry),
      "identity-fingerprint": Fingerprint(of: Users.alice.identity.publicKey).description,
      "registry-fingerprint": Fingerprint(ofRegistry: Users.registry).description,
      "safety-number": SafetyNumber(
        (Users.aliceAccount, Users.alice.identity.publicKey), (Users.bobAccount, Users.bob.identity.publicKey)
      ).description,
    ]
    var hex = try transcripts()
    let hash = hex["registry-link-hash"] ?? []
    hex.merge(identities()) { old, _ in old }
    hex.merge(messages(registryLinkHash: hash)) { old, _ in old }
    hex.merge(try SealedExample.all()) { old, _ in old }
    texts = Dictionary(uniqueKeysWithValues: texts.map { ("text \($0)", $1) })
    return texts.merging(hex.map { ("hex \($0)", lines($1)) }) { old, _ in old }
  }

  private static func lines(_ bytes: [UInt8]) -> String {
    stride(from: 0, to: bytes.count, by: 32).map { Hex.encode(Array(bytes[$0..<min($0 + 32, bytes.count)])) }
      .joined(separator: "\n")
  }

  private static func encode(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.bytes
  }

  private static func identities() -> [String: [UInt8]] {
    [
      "user-name": encode { Users.aliceAccount.name.encode(into: &$0) },
      "account": Users.aliceAccount.encoded,
      "device-list": Users.aliceList.list.encoded,
      "signed-device-list": Users.aliceList.encoded,
      "signed-device-list-2": Users.aliceSecondList.encoded,
      "prologue-registry": Prologue.registry,
      "prologue-peer": Prologue.peer(Users.bobAccount, device: 1),
      "hello-responder": Hello(device: 1, list: Users.bobList).encoded,
      "hello-initiator": Hello(device: 1, list: Users.aliceList).encoded,
      "link-key-alice": Users.alice.link.publicKey.raw.array,
      "link-key-bob": Users.bob.link.publicKey.raw.array,
      "link-key-registry": Users.registry.raw.array,
    ]
  }

  private static func messages(registryLinkHash: [UInt8]) -> [String: [UInt8]] {
    [
      "ping": Ping().encoded,
      "pong": Pong().encoded,
      "rekey": Rekey().encoded,
      "close": Close(reason: .done).encoded,
      "register-statement": Messages.statement(registryLinkHash),
      "register": Messages.register(registryLinkHash).encoded,
      "registered": Messages.registered.encoded,
      "login": Messages.login.encoded,
      "logged-in": Messages.loggedIn.encoded,
      "list": Messages.list.encoded,
      "listed": Messages.listed.encoded,
      "lookup": Messages.lookup.encoded,
      "found": Messages.found.encoded,
      "heartbeat": Messages.heartbeat.encoded,
      "alive": Messages.alive.encoded,
      "logout": Messages.logout.encoded,
      "logged-out": Messages.loggedOut.encoded,
      "watch": Messages.watch.encoded,
      "watching": Messages.watching.encoded,
      "presence": Messages.presence.encoded,
      "publish": Messages.publish.encoded,
      "publish-nothing": Messages.publishNothing.encoded,
      "published": Messages.published.encoded,
      "stock": Messages.stock.encoded,
      "fetch": Messages.fetch.encoded,
      "publish-statement": SignedPrekey.statement(
        Users.bobAccount, 1, Messages.signedPrekey.id, Messages.signedPrekey.expires,
        Messages.signedPrekey.key),
      "reset-statement": Messages.resetStatement(registryLinkHash),
      "fetch-reset": Messages.fetchWithReset(registryLinkHash).encoded,
      "bundle": Messages.bundle.encoded,
      "bundle-without-one-time": Messages.bundleWithoutOneTime.encoded,
      "failure": Messages.failure.encoded,
      "chat": Messages.chat.encoded,
      "ack": Messages.ack.encoded,
      "refuse": Messages.refuse.encoded,
      "inquire": Messages.inquire.encoded,
      "prekeys": Messages.prekeys.encoded,
      "ready": Messages.ready.encoded,
      "offer": Messages.offer.encoded,
      "accept": Messages.accept.encoded,
      "accept-held": Messages.acceptHeld.encoded,
      "entry": Messages.entry.encoded,
      "chunk": Messages.chunk,
      "end": Messages.end.encoded,
      "end-without-digest": Messages.endWithoutDigest.encoded,
      "cancel": Messages.cancel.encoded,
      "resume": Messages.resume.encoded,
    ]
  }

  // MARK: Transcripts

  private static func transcripts() throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    try registryLink(into: &result)
    try peerLink(into: &result)
    try inquiry(into: &result)
    return result
  }

  private static func registryLink(into result: inout [String: [UInt8]]) throws {
    let (client, server) = try parties(
      .XK, 0x31, 0x32, Prologue.registry, Users.alice.link, Users.registryKeys)
    result["registry-link-1"] = try [1] + carry([], from: client, to: server)
    result["registry-link-2"] = try carry([], from: server, to: client)
    result["registry-link-3"] = try carry([], from: client, to: server)
    result["registry-link-hash"] = client.handshakeHash
    result["registry-link-login"] = try carry(Messages.login.encoded, from: client, to: server)
    result["registry-link-logged-in"] = try carry(Messages.loggedIn.encoded, from: server, to: client)
    result["registry-link-rekey"] = try carry(Rekey().encoded, from: client, to: server)
    client.rekeySending()
    server.rekeyReceiving()
    result["registry-link-heartbeat"] = try carry(Messages.heartbeat.encoded, from: client, to: server)
    result["registry-link-alive"] = try carry(Messages.alive.encoded, from: server, to: client)
    result["registry-link-close"] = try carry(Close(reason: .done).encoded, from: client, to: server)
  }

  private static func peerLink(into result: inout [String: [UInt8]]) throws {
    let (alice, bob) = try parties(
      .XK, 0x33, 0x34, Prologue.peer(Users.bobAccount, device: 1), Users.alice.link, Users.bob.link)
    result["peer-link-1"] = try [1] + carry([], from: alice, to: bob)
    result["peer-link-2"] = try carry(Hello(device: 1, list: Users.bobList).encoded, from: bob, to: alice)
    result["peer-link-3"] = try carry(Hello(device: 1, list: Users.aliceList).encoded, from: alice, to: bob)
    result["peer-link-hash"] = alice.handshakeHash
    result["peer-link-ready-responder"] = try carry(Messages.ready.encoded, from: bob, to: alice)
    result["peer-link-ready-initiator"] = try carry(Messages.ready.encoded, from: alice, to: bob)
    result["peer-link-chat"] = try carry(Messages.chat.encoded, from: alice, to: bob)
    result["peer-link-ack"] = try carry(Messages.ack.encoded, from: bob, to: alice)
  }

  private static func inquiry(into result: inout [String: [UInt8]]) throws {
    let (client, server) = try parties(.NX, 0x35, 0x36, Prologue.registry, nil, Users.registryKeys)
    result["inquiry-1"] = try [2] + carry([], from: client, to: server)
    result["inquiry-2"] = try carry([], from: server, to: client)
  }

  private static func parties(
    _ pattern: HandshakePattern, _ initiatorEphemeral: UInt8, _ responderEphemeral: UInt8,
    _ prologue: [UInt8], _ initiator: LinkKeyPair?, _ responder: LinkKeyPair
  ) throws -> (NoiseParty<SHA256>, NoiseParty<SHA256>) {
    func ephemeral(_ byte: UInt8) throws -> AgreementPrivateKey<EphemeralPurpose> {
      try AgreementPrivateKey(SecretBytes(Users.bytes(byte)))
    }
    let first = try HandshakeState<SHA256>.withFixedEphemeralForTestingOnly(
      ephemeral(initiatorEphemeral), pattern: pattern, role: .initiator, prologue: prologue,
      static: initiator, remoteStatic: pattern.responderIsKnown ? responder.publicKey : nil)
    let second = try HandshakeState<SHA256>.withFixedEphemeralForTestingOnly(
      ephemeral(responderEphemeral), pattern: pattern, role: .responder, prologue: prologue, static: responder
    )
    return (NoiseParty(first), NoiseParty(second))
  }

  /// The next message with its length before it, as it goes over the connection; the other side has read it.
  private static func carry(
    _ payload: [UInt8], from sender: NoiseParty<SHA256>, to receiver: NoiseParty<SHA256>
  ) throws -> [UInt8] {
    let message = try sender.write(payload)
    guard try receiver.read(message) == payload else { throw NoiseError.authenticationFailed }
    return [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
  }
}
