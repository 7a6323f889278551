import SecchatCore
import SecchatCrypto

/// One of each message, with the values of appendix A.
enum Messages {
  static let id = must(MessageID(Array(0..<16)))
  static let bobAddress = must(NetworkAddress(bytes: [192, 0, 2, 7], port: 4_000))
  static let aliceAddress = must(
    NetworkAddress(bytes: [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1], port: 5_000))
  static let bobsName = Users.bobAccount.name

  /// What Alice signs to register over the link with this hash.
  static func statement(_ handshakeHash: [UInt8]) -> [UInt8] {
    Register.statement(
      handshakeHash: handshakeHash, account: Users.aliceAccount, list: Users.aliceList.encoded)
  }

  static func register(_ handshakeHash: [UInt8]) -> Register {
    let statement = statement(handshakeHash)
    return Register(
      request: 7, list: Users.aliceList.encoded,
      signature: Users.alice.identity.sign(label: Labels.register, message: statement.raw))
  }

  static let registered = Registered(request: 7, already: false)
  static let login = Login(request: 7, name: Users.aliceAccount.name, device: 1, port: 5_000)
  static let loggedIn = LoggedIn(request: 7, address: aliceAddress, life: 90, heartbeat: 30)
  static let list = List(request: 7, after: Users.aliceAccount.name)
  static let listed = Listed(
    request: 7, more: true,
    entries: [.init(name: bobsName, identity: Users.bob.identity.publicKey, address: bobAddress)])
  static let lookup = Lookup(request: 7, name: bobsName)
  static let found = Found(request: 7, address: bobAddress, list: Users.bobList.encoded)
  static let heartbeat = Heartbeat(request: 7)
  static let alive = Alive(request: 7, life: 90)
  static let logout = Logout(request: 7)
  static let loggedOut = LoggedOut(request: 7)
  static let watch = Watch(request: 7, add: true, names: [Users.aliceAccount.name, bobsName])
  static let watching = Watching(request: 7)
  static let presence = Presence(name: bobsName, address: bobAddress)
  static let failure = Failure(request: 7, reason: .rateLimited, wait: 12)

  static let ready = Ready(stream: 0, limit: Limits.chatCredit)
  static let chat = Chat(id: id, sent: 1_700_000_003_000, text: "Hello, Bob! 👋")
  static let ack = Ack(id: id)
  static let refuse = Refuse(id: id, reason: .declined)
  static let offer = Offer(stream: 1, id: id, items: 1, entries: 1, bytes: 5, name: "notes.txt")
  static let accept = Accept(stream: 1)
  static let acceptHeld = Accept(
    stream: 1, held: Held(item: 0, entries: 1, offset: 3, digest: heldDigest("hel")))
  static let resume = Resume(stream: 1, isVerified: true)

  /// Of the entry and the first of its bytes.
  private static func heldDigest(_ text: String) -> FixedBytes<32> {
    var digest = HeldDigest()
    digest.begin(entry)
    digest.update(Array(text.utf8).raw)
    return digest.digest()
  }
  static let entry = Entry(
    stream: 1, item: 0, kind: .file, executable: false, modified: 1_700_000_004, size: 5, path: "notes.txt")
  static let end = End(stream: 1, size: 5, digest: BLAKE2b.hash256(Array("hello".utf8).raw))
  static let endWithoutDigest = End(stream: 1, size: 5, digest: nil)
  static let cancel = Cancel(stream: 1, reason: .stopped)

  /// A CHUNK as `SealedLink.sendChunk` writes it.
  static let chunk = [ChunkHeader.type.rawValue, 0, 0, 0, 1] + Array("hello".utf8)
}
