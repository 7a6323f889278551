/// What a node tells: answers to requests and things that happen. Each is one JSON object on one line, with `"v":1` and
/// `"type"`. Times are Unix seconds, sizes bytes, keys in their text form, addresses `HOST:PORT`, users `NAME` within the
/// profile's own registry.
public enum Event: Equatable, Sendable {
  /// The profile's key.
  case identity(Identity)
  /// The name is claimed.
  case registered(Registered)
  /// Logged in.
  case online(Online)
  /// The registry session ended.
  case offline(Offline)
  /// A user.
  case peer(Peer)
  /// A message went.
  case sent(Sent)
  /// A message came.
  case message(Message)
  /// An item is offered.
  case offer(Transfer)
  /// An item is on its way.
  case progress(Transfer)
  /// An item is there.
  case done(Transfer)
  /// A peer offers.
  case offered(Offered)
  /// An item came.
  case file(File)
  /// A transfer that is not over.
  case transfer(TransferState)
  /// The number to compare.
  case safetyNumber(Safety)
  /// A peer came or went.
  case presence(Presence)
  /// A peer's keys changed.
  case keyChange(KeyChange)
  /// Messages go on under other keys.
  case sessionReset(SessionReset)
  /// A registry not met before.
  case registryKey(RegistryKey)
  /// A new key was accepted.
  case trusted(Trusted)
  /// What the node is.
  case status(Status)
  /// Something could not be done.
  case error(Failure)

  /// `identity`: the profile's own key.
  public struct Identity: Codable, Equatable, Sendable {
    /// The key's text form.
    public var key: String
    /// The fingerprint of the key.
    public var fingerprint: String

    /// All fields.
    public init(key: String, fingerprint: String) {
      self.key = key
      self.fingerprint = fingerprint
    }
  }

  /// `registered`: the name is this profile's.
  public struct Registered: Codable, Equatable, Sendable {
    /// `NAME@HOST:PORT`.
    public var user: String
    /// Whether it was so before.
    public var already: Bool

    /// All fields.
    public init(user: String, already: Bool) {
      self.user = user
      self.already = already
    }
  }

  /// `online`: logged in.
  public struct Online: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// As the registry sees this machine, with the peer port.
    public var address: String
    /// Where peers are listened for.
    public var listen: String

    /// All fields.
    public init(user: String, address: String, listen: String) {
      self.user = user
      self.address = address
      self.listen = listen
    }
  }

  /// `offline`: the session at the registry has ended; peers' sessions go on.
  public struct Offline: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// Whether the node tries to come back by itself.
    public var retrying: Bool

    /// All fields.
    public init(user: String, retrying: Bool) {
      self.user = user
      self.retrying = retrying
    }
  }

  /// `peer`: one user, from `list` and `lookup`.
  public struct Peer: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// Whether reachable now.
    public var online: Bool
    /// `HOST:PORT`, where online.
    public var address: String?
    /// The key's text form.
    public var key: String
    /// The fingerprint of the key.
    public var fingerprint: String
    /// Whether the safety number was compared.
    public var verified: Bool

    /// All fields.
    public init(
      user: String, online: Bool, address: String? = nil, key: String, fingerprint: String, verified: Bool
    ) {
      self.user = user
      self.online = online
      self.address = address
      self.key = key
      self.fingerprint = fingerprint
      self.verified = verified
    }
  }

  /// `sent`: what became of a message.
  public struct Sent: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// The receiver.
    public var to: String
    /// `queued`, `sent`, `delivered`, `read`; or `refused`.
    public var state: String

    /// All fields.
    public init(id: String, to: String, state: String) {
      self.id = id
      self.to = to
      self.state = state
    }
  }

  /// `message`: one that arrived, or from the history or the outbox.
  public struct Message: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// The sender.
    public var from: String
    /// The receiver.
    public var to: String
    /// As sent: not yet made safe for a terminal.
    public var text: String
    /// When it was sent, by the sender's clock.
    public var time: Double
    /// Whether the safety number was compared.
    public var verified: Bool
    /// Of one's own: `queued`, `sent`, `delivered`, `read` or `refused`.
    public var state: String?

    /// All fields.
    public init(
      id: String, from: String, to: String, text: String, time: Double, verified: Bool, state: String? = nil
    ) {
      self.id = id
      self.from = from
      self.to = to
      self.text = text
      self.time = time
      self.verified = verified
      self.state = state
    }
  }

  /// `offer`, `progress`, `done`: an item being sent.
  public struct Transfer: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// The receiver.
    public var to: String
    /// The item's name.
    public var name: String
    /// Bytes so far, or of the whole.
    public var bytes: UInt64
    /// Bytes of the whole.
    public var total: UInt64
    /// Since the first byte.
    public var seconds: Double
    /// Bytes that were there before, from an earlier part of the same transfer, and need not be sent.
    public var resumedFrom: UInt64
    /// In `offer`: nil where it is being offered; `queued` where it waits until the receiver is online; `resumed` where it
    /// goes on from `resumedFrom`; `restarted` where it begins again because something has changed.
    public var state: String?
    /// BLAKE2b of a file, where it was asked for; hexadecimal.
    public var checksum: String?
    /// In `done`, how many links, pipes and devices in a folder were left out; nil where none were.
    public var skipped: Int?

    /// All fields.
    public init(
      id: String, to: String, name: String, bytes: UInt64, total: UInt64, seconds: Double,
      resumedFrom: UInt64 = 0, checksum: String? = nil, skipped: Int? = nil, state: String? = nil
    ) {
      self.state = state
      self.id = id
      self.to = to
      self.name = name
      self.bytes = bytes
      self.total = total
      self.seconds = seconds
      self.resumedFrom = resumedFrom
      self.checksum = checksum
      self.skipped = skipped
    }

    private enum CodingKeys: String, CodingKey {
      case id, to, name, bytes, total, seconds
      case resumedFrom = "resumed_from"
      case checksum, skipped, state
    }
  }

  /// `offered`: a peer would like to send; `answer` accepts or refuses it by `id`.
  public struct Offered: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// The sender.
    public var from: String
    /// The item's name.
    public var name: String
    /// How many files and folders were named.
    public var items: UInt32
    /// Bytes of all its files.
    public var bytes: UInt64

    /// All fields.
    public init(id: String, from: String, name: String, items: UInt32, bytes: UInt64) {
      self.id = id
      self.from = from
      self.name = name
      self.items = items
      self.bytes = bytes
    }
  }

  /// `file`: an item that arrived and lies at `path`.
  public struct File: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// The sender.
    public var from: String
    /// The item's name.
    public var name: String
    /// Where it lies.
    public var path: String
    /// Bytes of all its files.
    public var bytes: UInt64
    /// Bytes that were there before, from an earlier part of the same transfer.
    public var resumedFrom: UInt64

    /// All fields.
    public init(
      id: String, from: String, name: String, path: String, bytes: UInt64, resumedFrom: UInt64 = 0
    ) {
      self.id = id
      self.from = from
      self.name = name
      self.path = path
      self.bytes = bytes
      self.resumedFrom = resumedFrom
    }

    private enum CodingKeys: String, CodingKey {
      case id, from, name, path, bytes
      case resumedFrom = "resumed_from"
    }
  }

  /// `transfer`: one that is not over, from `transfers`.
  public struct TransferState: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var id: String
    /// `out` or `in`.
    public var direction: String
    /// The other side.
    public var user: String
    /// The first item's name.
    public var name: String
    /// How many files and folders were named.
    public var items: UInt32
    /// Bytes that the receiver has, as far as is known here.
    public var bytes: UInt64
    /// Bytes of the whole.
    public var total: UInt64
    /// `active`, `queued` until both are online, or `paused`.
    public var state: String

    /// All fields.
    public init(
      id: String, direction: String, user: String, name: String, items: UInt32, bytes: UInt64, total: UInt64,
      state: String
    ) {
      self.id = id
      self.direction = direction
      self.user = user
      self.name = name
      self.items = items
      self.bytes = bytes
      self.total = total
      self.state = state
    }
  }

  /// `safety-number`: 60 digits without spaces.
  public struct Safety: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// 60 digits.
    public var number: String
    /// Whether the safety number was compared.
    public var verified: Bool

    /// All fields.
    public init(user: String, number: String, verified: Bool) {
      self.user = user
      self.number = number
      self.verified = verified
    }
  }

  /// `presence`: a known peer came or went.
  public struct Presence: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// Whether reachable now.
    public var online: Bool

    /// All fields.
    public init(user: String, online: Bool) {
      self.user = user
      self.online = online
    }
  }

  /// `key-change`: a peer's keys are not what they were.
  public struct KeyChange: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// The fingerprint that was pinned.
    public var old: String
    /// The fingerprint now.
    public var new: String
    /// `continuous`, `recovered` or `unexplained`.
    public var verdict: String

    /// All fields.
    public init(user: String, old: String, new: String, verdict: String) {
      self.user = user
      self.old = old
      self.new = new
      self.verdict = verdict
    }
  }

  /// `session-reset`: the keys under which messages go between two devices had to be made anew, because one side's state
  /// is lost, or an older copy. Nothing that was written is lost by it; what `missing` counts was lost with the state.
  public struct SessionReset: Codable, Equatable, Sendable {
    /// Whose state it is.
    public enum Reason: String, Codable, Sendable {
      /// The peer has begun anew.
      case begun
      /// The peer's state is not the one that it was.
      case theirs
      /// This profile's is an older copy.
      case ours
    }

    /// The user.
    public var user: String
    /// What it shows.
    public var reason: Reason
    /// Messages that had come here before, and are not here any more.
    public var missing: UInt64?

    /// All fields.
    public init(user: String, reason: Reason, missing: UInt64? = nil) {
      self.user = user
      self.reason = reason
      self.missing = missing
    }
  }

  /// `registry-key`: a registry not met before shows its key; the user says yes or no to the fingerprint.
  public struct RegistryKey: Codable, Equatable, Sendable {
    /// `HOST:PORT`.
    public var registry: String
    /// The key's text form.
    public var key: String
    /// The fingerprint of the key.
    public var fingerprint: String

    /// All fields.
    public init(registry: String, key: String, fingerprint: String) {
      self.registry = registry
      self.key = key
      self.fingerprint = fingerprint
    }
  }

  /// `trusted`: a changed identity key was accepted.
  public struct Trusted: Codable, Equatable, Sendable {
    /// The user.
    public var user: String
    /// The fingerprint of the key.
    public var fingerprint: String

    /// All fields.
    public init(user: String, fingerprint: String) {
      self.user = user
      self.fingerprint = fingerprint
    }
  }

  /// `status`: what the node is.
  public struct Status: Codable, Equatable, Sendable {
    /// The user.
    public var user: String?
    /// The fingerprint of the key.
    public var fingerprint: String
    /// Whether reachable now.
    public var online: Bool
    /// Where peers are listened for.
    public var listen: String?
    /// Whether it is there to stay, or for the duration of a command.
    public var stays: Bool
    /// The process id.
    public var process: Int32

    /// All fields.
    public init(
      user: String? = nil, fingerprint: String, online: Bool, listen: String? = nil, stays: Bool,
      process: Int32
    ) {
      self.user = user
      self.fingerprint = fingerprint
      self.online = online
      self.listen = listen
      self.stays = stays
      self.process = process
    }
  }

  /// `error`: the line before a command ends with a status other than 0.
  public struct Failure: Codable, Equatable, Sendable {
    /// The exit status.
    public var code: ExitStatus
    /// What was wrong.
    public var message: String
    /// What to do.
    public var hint: String

    /// All fields.
    public init(code: ExitStatus, message: String, hint: String) {
      self.code = code
      self.message = message
      self.hint = hint
    }
  }
}
