import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet

/// From nothing to a confirmed first message: TCP, XK handshake with both device lists, CHAT, ACK, against a running
/// node that knows this profile. The registry is asked once, beforehand.
@LoopActor func connect(_ options: Options) async throws {
  let identity = try unlock(options)
  guard let registry = KeyText.registry(try options.text("registry-key")),
    let user = UserName(try options.text("name")), let peer = UserName(try options.text("user")),
    let own = identity.firstDeviceList(for: Account(name: user, registry: registry))
  else { throw Trouble("names or keys cannot be read") }
  let (list, address) = try await find(peer, options, registry, identity, user)
  guard let device = list.list.devices.first else { throw Trouble("no device") }
  let durations = Box<[Double]>([])
  let hello = Hello(device: identity.device, list: own).encoded
  guard let theirs = Party(device.id, on: list.list) else { throw Trouble("no device") }
  let ours = Party(identity, account: own.list.account)
  let state = Box(Correspondence())
  // A task of the loop, as those of the node are.
  try await inLanes(1) { _ in
    for _ in 0..<options.count("count", or: 1_000) {
      let begun = now()
      let stream = try await ByteStream.connect(to: address, timeout: 10_000)
      let link = try await SealedLink.connect(
        stream, prologue: Prologue.peer(list.list.account, device: device.id), local: identity.link,
        remote: device.link
      ) { (payload) throws(LinkError) in
        guard let theirs = try? Hello(decoding: payload.raw), theirs.list == list else { throw .peerRefused }
        return hello
      }
      if state.value.needsBundle {
        link.send(Inquire())
        let bundle = try await bundle(of: theirs, on: list.list, over: link)
        try state.value.begin(with: bundle, as: ours, identity)
      }
      let message = Message(id: Random.bytes(), sent: 0, body: .text("hello"))
      let sealed = try state.value.seal(message)
      link.send(Chat(id: message.id, first: true, envelope: sealed.envelope))
      while try await link.receive({ (type, _) throws(WireError) in type }) != .ack {}
      state.value.confirm(sealed)
      durations.value.append(now() - begun)
      link.close()
    }
  }
  report("connect", durations: durations.value)
}

/// The peer's answer to INQUIRE.
@LoopActor private func bundle(
  of party: Party, on list: DeviceList, over link: SealedLink
) async throws -> PrekeyBundle {
  while true {
    let message = try await link.receive { (type, body) throws(WireError) in
      try PeerMessage(type: type, body: body)
    }
    guard case .prekeys(let prekeys) = message else { continue }
    return try PrekeyBundle(verifying: prekeys.offer, of: party.device, on: list, now: 0)
  }
}

private func unlock(_ options: Options) throws -> SecretIdentity {
  let text = String(decoding: try contents(of: options.text("home") + "/identity.key"), as: UTF8.self)
  let passphrase = try passphrase(options)
  return try KeyFile(decoding: text).open(passphrase: passphrase.raw)
}

@LoopActor private func find(
  _ peer: UserName, _ options: Options, _ registry: LinkPublicKey, _ identity: SecretIdentity,
  _ user: UserName
) async throws -> (SignedDeviceList, SocketAddress) {
  let client = try await Client.connect(
    UInt16(options.count("registry-port", or: 0)), registry, as: identity.link)
  try await client.logIn(user, port: 0)
  client.ask { Lookup(request: $0, name: peer) }
  guard case .found(let found) = try await client.answer(),
    let port = found.address?.port, let address = SocketAddress(host: "127.0.0.1", port: port)
  else { throw Trouble("\(peer) is not online") }
  client.link.close()
  return (try SignedDeviceList(verifying: found.list.raw), address)
}
