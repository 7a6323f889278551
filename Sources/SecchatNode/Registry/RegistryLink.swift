internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// One link to a registry: asks, and hears what the registry tells unasked.
@LoopActor final class RegistryLink {
  private let link: SealedLink
  private let requests: Requests
  let registry: RegistryAddress

  /// How long an answer may take (milliseconds).
  static let patience = 10_000
  private static let connectTime = 10_000
  /// More than a registry of this kind has online, and as many as a guest of the control socket is handed at once; a
  /// lying one must not fill the memory.
  private static let listedNames = 100_000

  var onPresence: (Presence) -> Void = { _ in }
  var onStock: (Stock) -> Void = { _ in }
  /// Called once, when the link has ended.
  var onEnd: (LinkError) -> Void = { _ in }
  private(set) var isOpen = true

  private init(_ link: SealedLink, _ registry: RegistryAddress) {
    self.link = link
    self.registry = registry
    requests = Requests(on: link)
  }

  /// Connects, and proves both keys.
  static func connect(
    _ registry: RegistryAddress, as identity: SecretIdentity
  ) async throws(NodeError) -> RegistryLink {
    let stream = try await reach(registry.host, registry.port)
    do throws(LinkError) {
      let link = try await SealedLink.connect(
        stream, prologue: Prologue.registry, local: identity.link, remote: registry.key)
      let result = RegistryLink(link, registry)
      _ = Loop.spawn { await result.listen() }
      return result
    } catch .network(.timedOut) {
      throw unreachable(registry.host, registry.port, .timedOut)
    } catch {
      // Whoever lacks the key can only fail the handshake; a registry under load or without our patience looks alike,
      // so the key is asked for to tell them apart.
      if let key = try? await inquire(registry.host, registry.port), key != registry.key {
        throw changed(registry, key)
      }
      throw unreachable(registry.host, registry.port, .closed)
    }
  }

  /// What key the registry at an address has, to be confirmed by fingerprint.
  static func inquire(_ host: String, _ port: UInt16) async throws(NodeError) -> LinkPublicKey {
    let stream = try await reach(host, port)
    do throws(LinkError) {
      return try await SealedLink.inquire(stream, prologue: Prologue.registry)
    } catch { throw unreachable(host, port, .closed) }
  }

  private static func reach(_ host: String, _ port: UInt16) async throws(NodeError) -> ByteStream {
    do throws(NetError) {
      return try await ByteStream.connect(host: host, port: port, timeout: connectTime)
    } catch { throw unreachable(host, port, error) }
  }

  static func unreachable(_ host: String, _ port: UInt16, _ error: NetError) -> NodeError {
    NodeError(
      .unreachable, "the registry at \(RegistryAddress.text(host, port)) cannot be reached: \(error)",
      hint: "check the address, and that the registry runs")
  }

  static func changed(_ registry: RegistryAddress, _ key: LinkPublicKey) -> NodeError {
    NodeError(
      .untrusted,
      "the registry at \(registry.text) has another key than before: \(Fingerprint(ofRegistry: key))",
      hint:
        "somebody may be in between; a registry that really has a new key is a new one: use a new profile (--home)"
    )
  }

  // MARK: Listening

  private func listen() async {
    do throws(LinkError) {
      while true {
        let answer = try await link.receive { (type, body) throws(WireError) in
          try RegistryAnswer(type: type, body: body)
        }
        switch answer {
        case .presence(let presence): onPresence(presence)
        case .stock(let stock): onStock(stock)
        default: requests.settle(answer)
        }
      }
    } catch {
      isOpen = false
      requests.end(.closed)
      onEnd(error)
    }
  }

  /// Ends the link.
  func close(_ reason: Close.Reason = .done) { link.close(reason) }

  var handshakeHash: [UInt8] { link.handshakeHash }
  var remoteAddress: SocketAddress? { link.remoteAddress }
  var age: Int { Instant.now - link.born }

  // MARK: Asking

  private func ask(_ make: (UInt32) -> some WireMessage & Numbered) async throws(NodeError) -> RegistryAnswer
  {
    let answer = try await exchange(make)
    guard case .failure(let failure) = answer else { return answer }
    throw Self.error(failure)
  }

  /// The answer, FAILURE among them.
  func exchange(_ make: (UInt32) -> some WireMessage & Numbered) async throws(NodeError) -> RegistryAnswer {
    do throws(LinkError) {
      return try await requests.ask(patience: Self.patience, make)
    } catch {
      throw Self.unreachable(registry.host, registry.port, error == .network(.timedOut) ? .timedOut : .closed)
    }
  }

  static func error(_ failure: Failure) -> NodeError {
    let wait = failure.wait > 0 ? "try again in \(failure.wait) s" : "try again later"
    return switch failure.reason {
    case .badRequest: NodeError(.internal, "the registry did not understand the request")
    case .loginFailed:
      NodeError(
        .authentication, "the registry refused the log-in",
        hint: "the account may be unknown there, or hold other keys: `secchat register` claims the name")
    case .nameTaken:
      NodeError(.usage, "the name is taken by other keys", hint: "choose another name")
    case .unknownName: NodeError(.usage, "nobody at the registry has this name")
    case .rateLimited: NodeError(.rateLimited, "the registry limits how often that may be asked", hint: wait)
    case .notLoggedIn: NodeError(.authentication, "not logged in", hint: "run `secchat login`")
    case .tooMany: NodeError(.rateLimited, "the registry has no room for more of that", hint: wait)
    case .unavailable: NodeError(.unreachable, "the registry could not do its part", hint: wait)
    case .noPrekeys: NodeError(.peerOffline, "the registry has no prekeys of this device")
    }
  }

  static let outOfPlace = NodeError(.internal, "the registry gave an answer that does not fit")

  /// Claims a name. Returns whether it was this identity's already.
  func register(_ list: SignedDeviceList, as identity: SecretIdentity) async throws(NodeError) -> Bool {
    let statement = Register.statement(
      handshakeHash: link.handshakeHash, account: list.list.account, list: list.encoded)
    let signature = identity.identity.sign(label: Labels.register, message: statement.raw)
    guard
      case .registered(let answer) = try await ask({
        Register(request: $0, list: list.encoded, signature: signature)
      })
    else { throw Self.outOfPlace }
    return answer.already
  }

  func login(_ name: UserName, device: UInt32, port: UInt16) async throws(NodeError) -> LoggedIn {
    guard
      case .loggedIn(let answer) = try await ask({
        Login(request: $0, name: name, device: device, port: port)
      })
    else { throw Self.outOfPlace }
    return answer
  }

  func logout() async throws(NodeError) {
    guard case .loggedOut = try await ask({ Logout(request: $0) }) else { throw Self.outOfPlace }
  }

  func heartbeat() async throws(NodeError) {
    guard case .alive = try await ask({ Heartbeat(request: $0) }) else { throw Self.outOfPlace }
  }

  func watch(_ names: [UserName], add: Bool = true) async throws(NodeError) {
    var rest = names[...]
    while !rest.isEmpty {
      let batch = Array(rest.prefix(Limits.watchBatch))
      rest = rest.dropFirst(batch.count)
      guard case .watching = try await ask({ Watch(request: $0, add: add, names: batch) }) else {
        throw Self.outOfPlace
      }
    }
  }

  /// Everybody who is online, in order of names.
  func list() async throws(NodeError) -> [Listed.Entry] {
    var entries: [Listed.Entry] = []
    while true {
      let after = entries.last?.name
      guard case .listed(let page) = try await ask({ List(request: $0, after: after) }) else {
        throw Self.outOfPlace
      }
      // A registry that does not go forward would be asked for ever; one that names somebody twice is not believed.
      guard !page.entries.isEmpty || !page.more else { throw Self.outOfPlace }
      for entry in page.entries {
        guard entries.last.map({ $0.name < entry.name }) ?? true else { throw Self.outOfPlace }
        entries.append(entry)
      }
      guard entries.count <= Self.listedNames else { throw Self.outOfPlace }
      if !page.more { return entries }
    }
  }

  /// A user's signed device list and address, as the registry has them: what that means is for the pin to say.
  ///
  /// - Throws: 1 for an unknown name; 8 where the signature does not hold; 4 where the list is another account's.
  func lookup(_ name: UserName) async throws(NodeError) -> (list: SignedDeviceList, address: NetworkAddress?)
  {
    let answer: RegistryAnswer
    do throws(NodeError) {
      answer = try await ask { Lookup(request: $0, name: name) }
    } catch {
      guard error.status == .usage else { throw error }
      throw NodeError(.usage, "nobody at the registry has the name \(name)", hint: "check the spelling")
    }
    guard case .found(let found) = answer else { throw Self.outOfPlace }
    let list: SignedDeviceList
    do throws(SignedDeviceList.Failure) {
      list = try SignedDeviceList(verifying: found.list.raw)
    } catch {
      throw NodeError(.integrity, "the registry's answer for \(name) is not signed by the key it names")
    }
    guard list.list.account == Account(name: name, registry: registry.key) else {
      throw NodeError(
        .untrusted, "the registry answered for \(name) with the keys of somebody else",
        hint: "do not trust this registry until its owner has explained it")
    }
    return (list, found.address)
  }
}
