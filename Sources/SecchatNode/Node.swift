internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// A profile at work: its identity, its contacts, its registry, its peers. The one place where they meet.
@LoopActor final class Node {
  let folder: ProfileFolder
  let identity: SecretIdentity
  let store: ProfileStore
  let contacts: Contacts
  let conversations: Conversations
  let prekeys: PrekeyKeeper
  let transfers: Transfers
  let sessions: Sessions
  private(set) var settings: Settings {
    didSet { registry = Self.registry(settings) }
  }
  /// The registry, from the settings; remembered, since every message asks and its key stands there as text.
  private(set) var registry: RegistryAddress?

  /// Whether the node listens and stays logged in, or runs for the duration of a command.
  let stays: Bool
  var client: RegistryClient?
  var listener: PeerListener?
  /// Who carries the messages for each account.
  var couriers: [Account: Courier] = [:]
  var strangers = StrangerAllowance()
  let promisedRoom = PromisedRoom()
  /// Offers that wait for the user, by id.
  var pendingOffers: [String: PendingOffer] = [:]
  /// The ids of offers that the user was asked about.
  var offersSeen = RecentOffers()
  /// Dials under way, so that two messages at once share one.
  var dials: [Account: Dial] = [:]
  private var checkedOwnList: SignedDeviceList?
  /// What was last told of this node itself; nil before the first word.
  private var wasOnline: Bool?
  /// What was last told of each peer.
  private var online: [UserName: Bool] = [:]
  private var subscribers: [Int: (Event) -> Void] = [:]
  private var nextSubscriber = 0
  /// Whether whoever shows the events keeps up; until then no message is taken.
  var isReady: @Sendable () -> Bool = { true }
  private(set) var isClosing = false
  /// Whether the registry's stock of prekeys is being seen to, and whether that is to be done again.
  var isStocking = false
  var mustStock = false
  /// Whether what the registry has may be of another state of this profile than this one, and since when that was last
  /// believed.
  var mustReplacePrekeys = false
  var prekeysReplaced: Instant?
  /// Reads the past, once somebody has asked for it.
  var historyReader: HistoryReader?
  /// Whether the database's log is about to be emptied.
  var isTidying = false
  /// Whether the user has been told that messages are not taken because the disk is full.
  var isDiskFull = false
  /// When the next message is to be forgotten (Unix seconds).
  var nextExpiry: UInt64?
  var expirySleeper: Task<Void, Never>?
  /// Ends the node; the status it ends with.
  let ending = OneShot<ExitStatus>()

  private init(
    _ folder: ProfileFolder, _ identity: SecretIdentity, _ store: ProfileStore,
    _ contacts: Contacts, _ conversations: Conversations, _ prekeys: PrekeyKeeper, _ transfers: Transfers,
    _ settings: Settings, stays: Bool
  ) {
    self.transfers = transfers
    self.folder = folder
    self.identity = identity
    self.store = store
    self.contacts = contacts
    self.conversations = conversations
    self.prekeys = prekeys
    self.settings = settings
    registry = Self.registry(settings)
    self.stays = stays
    sessions = Sessions(ourIdentity: identity.identity.publicKey)
  }

  /// Opens a profile whose lock the caller holds.
  static func open(
    _ folder: ProfileFolder, identity: SecretIdentity, stays: Bool
  ) async throws(NodeError) -> Node {
    let store = try await Loop.offload { () throws(NodeError) in try ProfileStore(folder, identity) }
    let settings = try await store.settings()
    let contacts = try await Contacts(store)
    let conversations = try await Conversations(store)
    let prekeys = try await PrekeyKeeper(store, identity)
    let transfers = try await Transfers(store)
    return Node(
      folder, identity, store, contacts, conversations, prekeys, transfers, settings, stays: stays)
  }

  /// Ends every conversation and closes the database.
  func close() async {
    isClosing = true
    for courier in couriers.values { courier.start() }
    listener?.close()
    sessions.close(.goingAway)
    await client?.stop(sayingSo: true)
    await historyReader?.close()
    await store.close()
    couriers = [:]
  }

  private static let day = 86_400_000

  /// Sees once a day to what grows old, in a node that stays for weeks and hears of nobody.
  func lookAfterDaily() {
    Loop.spawn { [weak self] in
      while (try? await Loop.sleep(for: Self.day)) != nil, let self, !self.isClosing {
        self.stockPrekeysSoon()
        await self.sweepDownloads()
      }
    }
  }

  var downloads: String { settings.downloads ?? folder.downloadsPath }

  func save(_ change: (inout Settings) -> Void) async throws(NodeError) {
    var changed = settings
    change(&changed)
    guard changed != settings else { return }
    let former = settings
    settings = changed
    do throws(NodeError) { try await store.save(changed) } catch {
      if settings == changed { settings = former }
      throw error
    }
  }

  // MARK: Events

  /// Hears every event from now on. Returns what ends that.
  func subscribe(_ onEvent: @escaping (Event) -> Void) -> Int {
    nextSubscriber += 1
    subscribers[nextSubscriber] = onEvent
    return nextSubscriber
  }

  func unsubscribe(_ id: Int) { subscribers[id] = nil }

  func event(_ event: Event) {
    for subscriber in subscribers.values { subscriber(event) }
  }

  // MARK: Account

  private static func registry(_ settings: Settings) -> RegistryAddress? {
    guard let registration = settings.account,
      let text = settings.registries[RegistryAddress.text(registration.host, registration.port)],
      let key = KeyText.registry(text)
    else { return nil }
    return RegistryAddress(host: registration.host, port: registration.port, key: key)
  }

  /// The account that the profile holds.
  ///
  /// - Throws: 1 before `register`.
  func account() throws(NodeError) -> Account {
    guard let registration = settings.account, let name = UserName(registration.name), let registry else {
      throw NodeError(
        .usage, "this profile has no account yet", hint: "claim a name with `secchat register USER@HOST`")
    }
    return Account(name: name, registry: registry.key)
  }

  /// Our own signed device list.
  func ownList() throws(NodeError) -> SignedDeviceList {
    let account = try account()
    let bytes = settings.account?.list ?? []
    // Its signature is checked once, not for every connection that comes in.
    if let checkedOwnList, checkedOwnList.encoded == bytes { return checkedOwnList }
    guard let list = try? SignedDeviceList(verifying: bytes.raw), list.list.account == account else {
      throw ProfileStore.damaged
    }
    checkedOwnList = list
    return list
  }

  /// What `USER` or `USER@HOST:PORT` names, at this profile's own registry.
  func target(_ user: String) throws(NodeError) -> Account {
    let own = try account()
    let name: UserName?
    if user.contains("@") {
      guard let parsed = RegistryAddress.parse(user: user), let registry else {
        throw NodeError(.usage, "that is no user's name", hint: "write NAME, or NAME@HOST:PORT")
      }
      guard parsed.host == registry.host, parsed.port == registry.port else {
        throw NodeError(
          .usage, "users of other registries cannot be reached yet",
          hint: "this profile's registry is \(registry.text)")
      }
      name = parsed.name
    } else {
      name = UserName(user)
    }
    guard let name else {
      throw NodeError(.usage, "that is no user's name", hint: "names are 3 to 32 of a-z 0-9 . _ -")
    }
    return Account(name: name, registry: own.registry)
  }

  /// The client of the registry, for requests that need the network.
  ///
  /// - Throws: 1 before `register`; 7 after `logout`.
  func network() throws(NodeError) -> RegistryClient {
    let account = try account()
    guard !settings.isLoggedOut else {
      throw NodeError(.authentication, "this profile is logged out", hint: "run `secchat login`")
    }
    if let client { return client }
    guard let registry else { throw ProfileStore.damaged }
    let fresh = RegistryClient(
      identity: identity, account: account, registry: registry, port: listener?.address?.port ?? 0)
    fresh.onOnline = { [weak self] answer in self?.isOnline(answer) }
    fresh.onOffline = { [weak self] error, retrying in self?.isOffline(error, retrying) }
    fresh.onPresence = { [weak self] presence in self?.presence(presence) }
    fresh.onStock = { [weak self] _ in self?.stockPrekeysSoon() }
    client = fresh
    return fresh
  }

  private func isOnline(_ answer: LoggedIn) {
    guard stays, let name = settings.account?.name, let address = SocketAddress(answer.address) else {
      return
    }
    event(
      .online(
        .init(user: name, address: address.description, listen: listener?.address?.description ?? "")))
    wasOnline = true
    stockPrekeysSoon()
    let names = contacts.all.map(\.name)
    _ = Loop.spawn { await self.client?.watch(names) }
    wakeTransfers()
  }

  private func isOffline(_ error: NodeError, _ retrying: Bool) {
    guard stays, let name = settings.account?.name else { return }
    // Each further attempt that fails is no news.
    if wasOnline != false || !retrying {
      event(.offline(.init(user: name, retrying: retrying)))
      if wasOnline == nil || !retrying { event(.failure(error)) }
    }
    // Nobody tells now when who is away comes back: they are looked for where they were.
    for courier in couriers.values { courier.start() }
    if wasOnline == true { wakeTransfers() }
    wasOnline = false
  }

  private func presence(_ presence: Presence) {
    let isOnline = presence.address != nil
    if isOnline, let account = try? account() {
      dispatchWaiting(to: Account(name: presence.name, registry: account.registry))
    }
    // Also where the address is another one.
    if isOnline { goOn(with: presence.name) }
    // The first word on somebody is news only where they are there.
    guard (online.updateValue(isOnline, forKey: presence.name) ?? false) != isOnline else { return }
    event(.presence(.init(user: presence.name.text, online: isOnline)))
  }

  /// Whether the registry has said of somebody that they are not online, and is there to say when they are.
  func isKnownOffline(_ name: UserName) -> Bool { client?.isOnline ?? false && online[name] == false }
}
