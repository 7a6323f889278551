extension Event: Codable {
  private enum Key: String, CodingKey { case v, type }

  private enum Kind: String, Codable {
    case identity, registered, online, offline, peer, sent, message, offer, progress, done, offered, file,
      transfer
    case safetyNumber = "safety-number"
    case presence
    case keyChange = "key-change"
    case registryKey = "registry-key"
    case trusted, status, error
    case sessionReset = "session-reset"
  }

  /// Reads an object that `encode` wrote; fields it does not know are ignored.
  public init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: Key.self).decode(Kind.self, forKey: .type) {
    case .identity: self = .identity(try Identity(from: decoder))
    case .registered: self = .registered(try Registered(from: decoder))
    case .online: self = .online(try Online(from: decoder))
    case .offline: self = .offline(try Offline(from: decoder))
    case .peer: self = .peer(try Peer(from: decoder))
    case .sent: self = .sent(try Sent(from: decoder))
    case .message: self = .message(try Message(from: decoder))
    case .offer: self = .offer(try Transfer(from: decoder))
    case .progress: self = .progress(try Transfer(from: decoder))
    case .done: self = .done(try Transfer(from: decoder))
    case .offered: self = .offered(try Offered(from: decoder))
    case .file: self = .file(try File(from: decoder))
    case .transfer: self = .transfer(try TransferState(from: decoder))
    case .safetyNumber: self = .safetyNumber(try Safety(from: decoder))
    case .presence: self = .presence(try Presence(from: decoder))
    case .keyChange: self = .keyChange(try KeyChange(from: decoder))
    case .registryKey: self = .registryKey(try RegistryKey(from: decoder))
    case .trusted: self = .trusted(try Trusted(from: decoder))
    case .status: self = .status(try Status(from: decoder))
    case .sessionReset: self = .sessionReset(try SessionReset(from: decoder))
    case .error: self = .error(try Failure(from: decoder))
    }
  }

  /// Writes one flat object.
  public func encode(to encoder: any Encoder) throws {
    let (kind, payload): (Kind, any Encodable) =
      switch self {
      case .identity(let payload): (.identity, payload)
      case .registered(let payload): (.registered, payload)
      case .online(let payload): (.online, payload)
      case .offline(let payload): (.offline, payload)
      case .peer(let payload): (.peer, payload)
      case .sent(let payload): (.sent, payload)
      case .message(let payload): (.message, payload)
      case .offer(let payload): (.offer, payload)
      case .progress(let payload): (.progress, payload)
      case .done(let payload): (.done, payload)
      case .offered(let payload): (.offered, payload)
      case .file(let payload): (.file, payload)
      case .transfer(let payload): (.transfer, payload)
      case .safetyNumber(let payload): (.safetyNumber, payload)
      case .presence(let payload): (.presence, payload)
      case .keyChange(let payload): (.keyChange, payload)
      case .registryKey(let payload): (.registryKey, payload)
      case .trusted(let payload): (.trusted, payload)
      case .status(let payload): (.status, payload)
      case .sessionReset(let payload): (.sessionReset, payload)
      case .error(let payload): (.error, payload)
      }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(1, forKey: .v)
    try container.encode(kind, forKey: .type)
    try payload.encode(to: encoder)
  }
}
