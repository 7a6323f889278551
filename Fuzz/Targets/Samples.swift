internal import SecchatCore
internal import SecchatCrypto

/// Valid values of every sort, the same in every run.
enum Samples {
  /// `count` bytes that are neither zero nor alike.
  static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) } }

  static func key(_ number: UInt8) -> FixedBytes<32> { FixedBytes(bytes(32).map { $0 &+ number }) ?? .init() }

  static func id(_ number: UInt8) -> MessageID { MessageID(bytes(16).map { $0 &+ number }) ?? .init() }

  static let signature = SignatureBytes(bytes(64)) ?? .init()

  static func seed(_ number: UInt8) -> SecretBytes { SecretBytes(copying: key(number).array.raw) }

  static func identity() -> SigningPrivateKey<IdentityPurpose>? { try? SigningPrivateKey(seed: seed(1)) }

  /// An identity that exists for samples alone.
  static let secret: SecretIdentity = {
    do {
      return SecretIdentity(
        identity: try SigningPrivateKey(seed: seed(1)), device: 1, created: 1_700_000_000,
        link: try AgreementPrivateKey(seed(2)), messaging: try AgreementPrivateKey(seed(3)),
        signing: try SigningPrivateKey(seed: seed(4)), storage: try AEADKey(seed(5)))
    } catch { preconditionFailure("32 bytes are a key") }
  }()

  static func name(_ text: String) -> UserName {
    guard let name = UserName(text) else { preconditionFailure("\(text) is a name") }
    return name
  }

  static let account = Account(name: name("alice"), registry: LinkPublicKey(key(9)))

  static let signedList: SignedDeviceList = {
    guard let list = secret.firstDeviceList(for: account) else { preconditionFailure("one device is a list") }
    return list
  }()

  static func address(_ bytes: [UInt8], _ port: UInt16) -> NetworkAddress {
    guard let address = NetworkAddress(bytes: bytes, port: port) else {
      preconditionFailure("4 or 16 bytes are an address")
    }
    return address
  }

  static let v4 = address([192, 0, 2, 7], 7_500)
  static let v6 = address([0x20, 1, 0x0d, 0xb8] + Samples.bytes(12), 65_535)

  static let signedPrekey = SignedPrekey(
    signing: SignedPrekeyKey(key(7)), id: 3, expires: 1_700_600_000, for: account, device: 1,
    with: secret.signing)
  static let oneTimePrekeys = [1, 7, 255].map { (id: UInt8) in
    OneTimePrekey(id: UInt32(id), key: OneTimePrekeyKey(key(id)))
  }

  static let requests: [any WireMessage] = [
    Register(request: 1, list: signedList.encoded, signature: signature),
    Login(request: 2, name: account.name, device: 1, port: 7_500),
    List(request: 3, after: nil),
    List(request: 4, after: name("bob")),
    Lookup(request: 5, name: name("carol_-.9")),
    Heartbeat(request: .max),
    Logout(request: 7),
    Watch(request: 8, add: true, names: [name("bob"), name("dora")]),
    Watch(request: 9, add: false, names: []),
    Publish(request: 10, replace: true, signed: signedPrekey, used: [1, 7, .max], keys: oneTimePrekeys),
    Publish(request: 11),
    Fetch(request: 12, name: name("bob"), device: 1),
    Fetch(request: 13, name: name("bob"), device: .max, reset: .init(failed: 7, signature: signature)),
  ]

  static let answers: [any WireMessage] = [
    Registered(request: 1, already: true),
    LoggedIn(request: 2, address: v6, life: 90, heartbeat: 30),
    Listed(
      request: 3, more: true,
      entries: [
        .init(name: name("bob"), identity: IdentityPublicKey(key(1)), address: v4),
        .init(name: name("dora"), identity: IdentityPublicKey(key(2)), address: v6),
      ]),
    Found(request: 5, address: v4, list: signedList.encoded),
    Found(request: 5, address: nil, list: []),
    Alive(request: 6, life: 90),
    LoggedOut(request: 7),
    Watching(request: 8),
    Failure(request: 9, reason: .rateLimited, wait: 12),
    Presence(name: name("bob"), address: v6),
    Presence(name: name("bob"), address: nil),
    Published(request: 10, signed: 3, left: 100),
    Bundle(request: 12, offer: PrekeyOffer(signed: signedPrekey, oneTime: oneTimePrekeys[0])),
    Bundle(request: 13, offer: PrekeyOffer(signed: signedPrekey, oneTime: nil)),
    Stock(left: 19),
  ]

  static let peerMessages: [any WireMessage] = [
    Chat(id: id(1), first: true, envelope: envelope(initiation(oneTime: 7))),
    Chat(id: id(2), first: false, envelope: envelope(initiation(oneTime: nil))),
    Chat(id: id(3), first: false, envelope: envelope(nil)),
    Inquire(),
    Prekeys(offer: PrekeyOffer(signed: signedPrekey, oneTime: OneTimePrekey(id: 7, key: .init(key(8))))),
    Prekeys(offer: PrekeyOffer(signed: signedPrekey, oneTime: nil)),
    Ack(id: id(1), part: 3),
    Refuse(id: id(4), reason: .noRoom),
    Ready(stream: 0, limit: 256),
    Offer(stream: 1, id: id(5), items: 2, entries: 9, bytes: 1 << 40, name: "holiday photos"),
    Accept(stream: 1),
    Accept(stream: 1, held: Held(item: 1, entries: 2, offset: 3, digest: key(7))),
    Resume(stream: 1, isVerified: true),
    Entry(
      stream: 1, item: 0, kind: .file, executable: true, modified: 1_700_000_000, size: 5, path: "a/b.txt"),
    Entry(stream: 1, item: 0, kind: .folder, executable: false, modified: 0, size: 0, path: "a"),
    End(stream: 1, size: 5, digest: key(6)),
    End(stream: 1, size: 0, digest: nil),
    Cancel(stream: 2, reason: .diskFull),
  ]

  static func initiation(oneTime: UInt32?) -> Initiation {
    Initiation(ephemeral: InitiationPublicKey(key(10)), signed: 3, oneTime: oneTime)
  }

  static func envelope(_ initiation: Initiation?) -> Envelope {
    Envelope(
      session: id(9), initiation: initiation,
      header: RatchetHeader(key: RatchetPublicKey(key(11)), previous: 1, number: 2), sealed: bytes(40 + 256))
  }

  static let contents: [Content] = [
    Content(
      sequence: 1, previous: FixedBytes(),
      message: Message(id: id(1), sent: 1_700_000_000_123, body: .text("Grüße, \u{1F44B}"))),
    Content(
      sequence: Content.lastSequence, previous: key(13),
      message: Message(id: id(2), sent: .max, expires: 60, body: .text(String(repeating: "a", count: 185)))),
    Content(
      sequence: 9, previous: key(13), message: Message(id: id(3), sent: 0, body: .read([id(1), id(2)]))),
  ]

  /// A conversation that has got somewhere.
  static let correspondence: [UInt8] = {
    do {
      let ours = Party(secret, account: account)
      var state = Correspondence()
      let offer = PrekeyOffer(signed: signedPrekey, oneTime: nil)
      try state.begin(
        with: PrekeyBundle(verifying: offer, of: 1, on: signedList.list, now: 0), as: ours, secret)
      state.confirm(try state.seal(Message(id: id(1), sent: 0, body: .text("hello"))))
      return state.encoded.withBytes { $0.array }
    } catch { preconditionFailure("a session begins") }
  }()

  static let linkControl: [any WireMessage] = [Ping(), Pong(), Rekey(), Close(reason: .goingAway)]
}
