import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// One session with `peers/ratchet_peer.py`: our end of the ratchet, and theirs over a socket. A message is a RatchetHeader
/// and what is sealed.
struct RatchetPeer: ~Copyable {
  enum Role: String, Encodable { case initiator, responder }

  private struct Question: Encodable {
    let role: Role
    let oneTime: Bool
    let port: UInt16
  }

  /// What X3DH tells the other side; `private` for a package that wants a signature by the identity key.
  private struct Keys: Codable {
    let identity: String
    var `private`: String?
    var ephemeral: String?
    var signed: String?
    var oneTime: String?
  }

  /// What the two agreed on.
  private struct Agreed: Decodable {
    let shared: String
    let associated: String
  }

  struct Malformed: Error {}

  private let socket: LoopbackSocket
  private let shared: [UInt8]
  private let associated: [UInt8]
  private var state: RatchetState<MessageSuite>
  /// The exception by which they last refused a message.
  private(set) var refusal: String?

  init(
    _ program: Program, _ listener: borrowing LoopbackSocket, theirRole: Role, oneTime: Bool
  ) throws {
    try program.say(json: Question(role: theirRole, oneTime: oneTime, port: listener.port))
    let socket = try listener.accepted()
    let begun: Begun
    switch theirRole {
    case .responder: begun = try Self.initiate(socket, oneTime)
    case .initiator: begun = try Self.respond(socket, oneTime)
    }
    self.socket = socket
    shared = begun.root.bytesForTestingOnly()
    associated = begun.associated
    state = begun.state
  }

  private struct Begun {
    let root: RootKey
    let associated: [UInt8]
    let state: RatchetState<MessageSuite>
  }

  private static func initiate(_ socket: borrowing LoopbackSocket, _ oneTime: Bool) throws -> Begun {
    let identity = try AgreementPrivateKey<MessagingPurpose>.random()
    let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random()
    let theirs = try keys(socket.receiveFrame())
    let theirIdentity = MessagingPublicKey(try key(theirs.identity))
    let signed = SignedPrekeyKey(try key(theirs.signed))
    let prekey = try oneTime ? OneTimePrekeyKey(key(theirs.oneTime)) : nil
    let root = try X3DH.initiate(
      identity: identity, ephemeral: ephemeral, theirIdentity: theirIdentity, signed: signed, oneTime: prekey)
    let ours = Keys(
      identity: identity.publicKey.raw.description, ephemeral: ephemeral.publicKey.raw.description,
      oneTime: prekey?.raw.description)
    try say(ours, socket)
    return Begun(
      root: root, associated: identity.publicKey.raw.array + theirIdentity.raw.array,
      state: RatchetState(initiator: root, theirs: RatchetPublicKey(signed.raw)))
  }

  private static func respond(_ socket: borrowing LoopbackSocket, _ oneTime: Bool) throws -> Begun {
    let seed: FixedBytes<32> = Random.bytes()
    let identity = try AgreementPrivateKey<MessagingPurpose>(SecretBytes(seed.array))
    let signed = SignedPrekeySecret(try .random())
    let prekey = try oneTime ? OneTimePrekeySecret(.random()) : nil
    let ours = Keys(
      identity: identity.publicKey.raw.description, private: seed.description,
      signed: signed.privateKey.publicKey.raw.description,
      oneTime: prekey?.privateKey.publicKey.raw.description)
    try say(ours, socket)
    let theirs = try keys(socket.receiveFrame())
    #expect(theirs.oneTime == ours.oneTime)
    let theirIdentity = MessagingPublicKey(try key(theirs.identity))
    let root = try X3DH.respond(
      identity: identity, prekeys: PrekeySecrets(signed: signed, oneTime: prekey),
      theirIdentity: theirIdentity, ephemeral: InitiationPublicKey(try key(theirs.ephemeral)))
    return Begun(
      root: root, associated: theirIdentity.raw.array + identity.publicKey.raw.array,
      state: RatchetState(responder: root, ours: RatchetKeyPair(signed.privateKey.duplicate())))
  }

  private static func keys(_ frame: [UInt8]) throws -> Keys {
    try JSONDecoder().decode(Keys.self, from: Data(frame))
  }

  private static func key(_ text: String?) throws -> FixedBytes<32> {
    guard let bytes = Hex.decode(text ?? ""), let key = FixedBytes<32>(bytes) else { throw Malformed() }
    return key
  }

  private static func say(_ keys: Keys, _ socket: borrowing LoopbackSocket) throws {
    try socket.send(frame: Array(JSONEncoder().encode(keys)))
  }

  // MARK: Our end

  private static func encode(_ header: RatchetHeader) -> [UInt8] {
    var writer = WireWriter()
    header.encode(into: &writer)
    return writer.bytes
  }

  mutating func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
    let associated = associated
    let (header, sealed) = try state.seal(plaintext.raw) { associated + Self.encode($0) }
    return Self.encode(header) + sealed
  }

  /// - Throws: `RatchetError`.
  mutating func open(_ message: [UInt8]) throws -> [UInt8] {
    var reader = WireReader(message.raw)
    let header = try RatchetHeader(from: &reader)
    let data = associated + Self.encode(header)
    return try state.open(header, reader.takeRest(), authenticating: data.raw).withBytes { $0.array }
  }

  // MARK: Theirs

  borrowing func theySeal(_ plaintext: [UInt8]) throws -> [UInt8] {
    try socket.send(frame: Array("E".utf8) + plaintext)
    return try socket.receiveFrame()
  }

  /// Nil where they refuse it.
  mutating func theyOpen(_ message: [UInt8]) throws -> [UInt8]? {
    try socket.send(frame: Array("D".utf8) + message)
    let answer = try socket.receiveFrame()
    refusal = answer.first == 0 ? String(decoding: answer.dropFirst(), as: UTF8.self) : nil
    return answer.first == 1 ? Array(answer.dropFirst()) : nil
  }

  /// Ends the session; both have agreed on the same.
  consuming func end(_ program: Program) async throws {
    try socket.send(frame: Array("Q".utf8))
    let (shared, associated) = (Hex.encode(shared), Hex.encode(associated))
    let line = try await program.line("what was agreed on") { $0.contains("shared") }
    let agreed = try JSONDecoder().decode(Agreed.self, from: Data(line.utf8))
    #expect((agreed.shared, agreed.associated) == (shared, associated))
  }
}
