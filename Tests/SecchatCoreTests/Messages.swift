import SecchatCore
import SecchatCrypto
import TestSupport

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

  static let signedPrekey = SignedPrekey(
    signing: prekey(0x61), id: 3, expires: 1_701_209_600, for: Users.bobAccount, device: 1,
    with: Users.bob.signing)
  static let oneTimePrekeys = [
    OneTimePrekey(id: 41, key: prekey(0x62)), OneTimePrekey(id: 42, key: prekey(0x63)),
  ]
  static let publish = Publish(
    request: 7, replace: false, signed: signedPrekey, used: [17, 18], keys: oneTimePrekeys)
  static let publishNothing = Publish(request: 7)
  static let published = Published(request: 7, signed: 3, left: 82)
  static let stock = Stock(left: 19)
  static let fetch = Fetch(request: 7, name: bobsName, device: 1)
  static let bundle = Bundle(
    request: 7, offer: PrekeyOffer(signed: signedPrekey, oneTime: oneTimePrekeys[0]))
  static let bundleWithoutOneTime = Bundle(
    request: 7, offer: PrekeyOffer(signed: signedPrekey, oneTime: nil))

  /// The public half of the X25519 key of that byte repeated.
  static func prekey<Purpose: AgreementPurpose>(_ byte: UInt8) -> AgreementPublicKey<Purpose> {
    must(try AgreementPrivateKey<Purpose>(SecretBytes(Users.bytes(byte))).publicKey)
  }

  /// What Alice signs to reset over the link with this hash.
  static func resetStatement(_ handshakeHash: [UInt8]) -> [UInt8] {
    Fetch.Reset.statement(handshakeHash, Users.bobAccount, 1, 41)
  }

  static func fetchWithReset(_ handshakeHash: [UInt8]) -> Fetch {
    Fetch(
      request: 7, name: bobsName, device: 1,
      reset: Fetch.Reset(
        signing: 41, handshakeHash: handshakeHash, account: Users.bobAccount, device: 1,
        with: Users.alice.signing))
  }

  static let failure = Failure(request: 7, reason: .rateLimited, wait: 12)

  static let message = Message(id: id, sent: 1_700_000_003_000, body: .text("Hello, Bob! 👋"))
  static let content = Content(
    sequence: 1, previous: FixedBytes(), message: message)
  static let envelope = SealedExample.envelope
  static let initiation = SealedExample.initiation
  static let offeredPrekeys = PrekeyOffer(
    signed: Users.bobsSignedPrekey,
    oneTime: OneTimePrekey(id: 2, key: Users.bobsOneTimePrekey.privateKey.publicKey))

  static let ready = Ready(stream: 0, limit: Limits.chatCredit)
  static let chat = Chat(id: id, first: true, envelope: envelope)
  static let inquire = Inquire()
  static let prekeys = Prekeys(offer: offeredPrekeys)
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
