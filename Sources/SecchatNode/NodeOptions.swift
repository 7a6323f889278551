/// What a node does with files that are offered to it.
public enum FilePolicy: String, Codable, Sendable, CaseIterable {
  /// Asks whoever listens to its events; without an answer the offer is refused.
  case ask
  /// Takes them.
  case always
  /// Refuses them.
  case never
}

/// What a node does with people it does not know.
public enum StrangerPolicy: String, Codable, Sendable, CaseIterable {
  /// Takes their messages.
  case accept
}

/// Who may see that a user is online.
public enum Visibility: String, Codable, Sendable, CaseIterable {
  /// Every user of the registry.
  case everyone
}

/// A node's choices. Nil leaves what the profile says; what is given is kept in the profile.
public struct NodeOptions: Sendable, Equatable {
  /// `HOST:PORT` to listen on for peers, the host as digits (`[::1]` for IPv6); port 0 picks one. Default: all interfaces, any free port.
  public var listen: String?
  /// Default: `ask`.
  public var files: FilePolicy?
  /// An absolute path. Default: `downloads` in the profile.
  public var downloads: String?
  /// Default: `accept`.
  public var strangers: StrangerPolicy?
  /// Whether senders are told that a person has seen their messages. Default: yes.
  public var receipts: Bool?

  /// No choices.
  public init() {}
}
