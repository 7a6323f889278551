internal import Glibc
internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// What programs may ask: each request is one function here, in `NodeAccount`, `NodeTransfers` or `NodeDownloads`.
extension Node {
  /// Answers a request. The last event of one that fails is its `error`.
  ///
  /// - Parameter room: waits until whoever asks has taken what was emitted; false where nobody asks any more.
  func perform(
    _ request: Request, room: () async -> Bool = { true }, _ emit: @escaping (Event) -> Void
  ) async -> ExitStatus {
    do throws(NodeError) {
      switch request {
      case .status: emit(status())
      case .register(let user, let key): try await register(user, key, emit)
      case .login: try await login(emit)
      case .logout: try await logout()
      case .list: try await list(emit)
      case .lookup(let user): try await lookup(user, emit)
      case .chat(let user, let id, let text, let timeout, let wait, let expires):
        try await chat(user, id, text, timeout, wait, expires, emit)
      case .outbox: outbox(emit)
      case .cancel(let id): try await cancel(id)
      case .seen(let user, let ids): try await seen(user, ids)
      case .history(let user, let search, let since, let limit):
        try await history(user, search, since, limit, room: room, emit)
      case .deleteHistory(let user): try await deleteHistory(user)
      case .expire(let user, let seconds): try await setExpiry(user, seconds)
      case .send(let user, let paths, let rate, let checksum):
        try await send(user, paths, rate, checksum, emit)
      case .verify(let user, let number): try await verify(user, number, emit)
      case .trust(let user, let fingerprint): try await trust(user, fingerprint, emit)
      case .subscribe: await relay(emit)
      case .transfers:
        for record in transfers.all { if let state = state(of: record) { emit(.transfer(state)) } }
      case .transfer(let id, let action): try await change(id, action, emit)
      case .answer(let id, let accept): try answer(id, accept)
      case .contacts: for contact in contacts.all { emit(.peer(peer(contact))) }
      }
      return .done
    } catch {
      emit(.failure(error))
      return error.status
    }
  }

  private func status() -> Event {
    .status(
      .init(
        user: settings.account?.name,
        fingerprint: Fingerprint(of: identity.identity.publicKey).description,
        online: client?.isOnline ?? false, listen: listener?.address?.description, stays: stays,
        process: getpid()))
  }

  /// Passes events on until the asker goes, which cancels its task.
  private func relay(_ emit: @escaping (Event) -> Void) async {
    let id = subscribe(emit)
    let gone = OneShot<Void>()
    await withTaskCancellationHandler {
      _ = try? await gone.wait()
    } onCancel: {
      _ = Loop.spawn { gone.fulfil(()) }
    }
    unsubscribe(id)
  }

  /// What `key-change` tells while a request runs belongs to its answer too.
  func hearing<Result>(
    _ emit: @escaping (Event) -> Void, _ body: () async throws(NodeError) -> Result
  ) async throws(NodeError) -> Result {
    let id = subscribe { event in if case .keyChange = event { emit(event) } }
    defer { unsubscribe(id) }
    return try await body()
  }

  // MARK: People

  private func peer(_ contact: Contact) -> Event.Peer {
    Event.Peer(
      user: contact.name.text, online: false, key: KeyText.encode(contact.pinned.list.identity),
      fingerprint: contact.fingerprint.description, verified: contact.isVerified)
  }

  private func list(_ emit: (Event) -> Void) async throws(NodeError) {
    let own = try account()
    for entry in try await network().session().list() {
      let contact = contacts[Account(name: entry.name, registry: own.registry)]
      emit(
        .peer(
          .init(
            user: entry.name.text, online: true, address: SocketAddress(entry.address)?.description,
            key: KeyText.encode(entry.identity), fingerprint: Fingerprint(of: entry.identity).description,
            verified: contact.map { $0.isVerified && $0.pinned.list.identity == entry.identity } ?? false)))
    }
  }

  private func lookup(_ user: String, _ emit: @escaping (Event) -> Void) async throws(NodeError) {
    let target = try target(user)
    let (list, address) = try await network().lookup(target.name)
    let key = list.list.identity
    let contact = contacts[target]
    emit(
      .peer(
        .init(
          user: target.name.text, online: address != nil, address: address?.description,
          key: KeyText.encode(key), fingerprint: Fingerprint(of: key).description,
          verified: contact.map { $0.isVerified && $0.pinned.list.identity == key } ?? false)))
    guard target != (try account()) else { return }
    try await hearing(emit) { () throws(NodeError) in
      try await judge(list, for: target, pinsFirst: false)
    }
  }

  /// The contact, pinned now where it was not yet.
  func pinned(_ target: Account, _ emit: @escaping (Event) -> Void) async throws(NodeError) -> Contact {
    guard target != (try account()) else {
      throw NodeError(.usage, "that is you", hint: "name the other one")
    }
    if let contact = contacts[target] { return contact }
    let (list, _) = try await network().lookup(target.name)
    try await hearing(emit) { () throws(NodeError) in
      try await judge(list, for: target, pinsFirst: true)
    }
    guard let contact = contacts[target] else { throw ProfileStore.damaged }
    return contact
  }

  private func verify(
    _ user: String, _ number: String?, _ emit: @escaping (Event) -> Void
  ) async throws(NodeError) {
    let own = try account()
    let contact = try await pinned(target(user), emit)
    let ours = identity.identity.publicKey
    let account = contact.account
    let key = contact.pinned.list.identity
    // 10,400 rounds of SHA-512: some milliseconds.
    let safety = await Loop.offload { SafetyNumber((own, ours), (account, key)) }
    if let number {
      guard safety.matches(number) else {
        emit(
          .safetyNumber(
            .init(user: contact.name.text, number: safety.digits, verified: contact.isVerified)))
        throw NodeError(
          .untrusted, "the number is not the one for \(contact.name)",
          hint: "compare again; if it stays different, somebody may be in between")
      }
      try await contacts.update(account) { if $0.pinned.list.identity == key { $0.isVerified = true } }
    }
    emit(
      .safetyNumber(
        .init(
          user: contact.name.text, number: safety.digits, verified: contacts[account]?.isVerified ?? false)))
  }

  private func trust(
    _ user: String, _ text: String, _ emit: @escaping (Event) -> Void
  ) async throws(NodeError) {
    let target = try target(user)
    guard let wanted = Fingerprint(text) else {
      throw NodeError(
        .usage, "that is no fingerprint", hint: "it has ten groups of four letters and digits")
    }
    let known = [contacts[target]?.offered, contacts[target]?.pinned].compactMap { $0?.list.identity }
    if !known.contains(where: { Fingerprint(of: $0) == wanted }), let client = try? network() {
      // What the registry says now, in case the change has not been seen here yet.
      do throws(NodeError) {
        let (list, _) = try await client.lookup(target.name)
        try await judge(list, for: target, pinsFirst: Fingerprint(of: list.list.identity) == wanted)
      } catch {
        // What is known here is enough to say no by.
        guard error.status == .untrusted || error.status == .unreachable && contacts[target] != nil else {
          throw error
        }
      }
    }
    guard let contact = contacts[target] else {
      throw NodeError(.untrusted, "the fingerprint is not that of \(target.name)", hint: "look again")
    }
    if let offered = contact.offered, Fingerprint(of: offered.list.identity) == wanted {
      try await contacts.update(target) {
        $0.pinned = offered
        $0.offered = nil
        $0.isVerified = false
        // Before the disk is waited for: from here on nothing goes to the old key.
        sessions.close(.done, with: target)
      }
    } else if contact.fingerprint != wanted {
      throw NodeError(
        .untrusted, "the fingerprint is not that of \(target.name)",
        hint: "compare it again with what \(target.name) reads out")
    } else {
      // The key that was pinned is the right one, says the user: the other is forgotten.
      try await contacts.update(target) { $0.offered = nil }
    }
    // What was held for that key's sake.
    goOn(with: target.name)
    emit(.trusted(.init(user: target.name.text, fingerprint: wanted.description)))
    dispatchWaiting(to: target)
  }

  // MARK: Talking

  /// A user other than oneself.
  func peer(_ user: String) throws(NodeError) -> Account {
    let target = try target(user)
    guard target != (try account()) else {
      throw NodeError(.usage, "that is you", hint: "name the other one")
    }
    return target
  }

  private func answer(_ id: String, _ accept: Bool) throws(NodeError) {
    guard let offer = pendingOffers[id] else {
      throw NodeError(.usage, "no offer with that id waits for an answer")
    }
    offer.answer.fulfil(accept)
  }
}
