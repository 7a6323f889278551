internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// What the user has chosen for one conversation.
///
///     0  expires  u32: seconds after which messages are forgotten unless another time is named; 0: never
struct ConversationSettings: Equatable, Sendable {
  var expires: UInt32 = 0

  init() {}
  init(from reader: inout WireReader) throws(WireError) { expires = try reader.u32() }
  func encode(into writer: inout WireWriter) { writer.u32(expires) }
}

/// All that is known of writing with one account: the key of its history, the state between the devices, and what waits.
@LoopActor final class Conversation {
  let row: Int64
  let account: Account
  var key: ConversationKey
  var settings: ConversationSettings
  /// Messages of ours that are not confirmed, in their order.
  var waiting: [StoredMessage]
  /// By the peer's device; others are read when they are needed.
  private var correspondents: [UInt32: Correspondent] = [:]
  /// The ids of messages that came lately: all that may come again, but for those of a sender whose state is an old copy.
  private var recent: RecentIDs?
  /// What may still come that nothing opens.
  var unopened = UnopenedAllowance()
  private let directory: Conversations

  /// What may wait for one account: a long absence, not a way to fill the disk.
  static let waitingLimit = 4_096
  /// Four times what may be on its way.
  private static let recentLimit = 1_024

  init(
    row: Int64, account: Account, key: ConversationKey, settings: ConversationSettings,
    waiting: [StoredMessage], directory: Conversations
  ) {
    self.row = row
    self.account = account
    self.key = key
    self.settings = settings
    self.waiting = waiting
    self.directory = directory
  }

  /// The state between this device and one of the account's. Where that device is another than it was, a new one.
  func correspondent(_ party: Party) async throws(NodeError) -> Correspondent {
    if let known = correspondents[party.device], known.party == party { return known }
    let rows = try await directory.store.correspondences(of: row)
    // Somebody else may have read it meanwhile; theirs may have moved on.
    if let known = correspondents[party.device], known.party == party { return known }
    let found =
      rows.last { $0.party == party }.map { Correspondent($0, conversation: row) }
      ?? Correspondent(party, row: directory.newCorrespondenceRow(), conversation: row)
    correspondents[party.device] = found
    return found
  }

  /// Those that have been asked for.
  var correspondentsInUse: [Correspondent] { Array(correspondents.values) }

  /// What is in memory of a device is not what is on disk: it is read anew when it is needed.
  func forget(_ correspondent: Correspondent) {
    guard correspondents[correspondent.party.device] === correspondent else { return }
    correspondents[correspondent.party.device] = nil
  }

  /// Whether its history is being destroyed.
  var isBeingDeleted = false

  /// From now on messages are sealed under another key. Returns those that wait, sealed anew.
  func replaceKey(_ fresh: ConversationKey) -> [(row: Int64, body: [UInt8])] {
    key = fresh
    return waiting.map { ($0.row, fresh.seal($0.message, row: $0.row, isOurs: true)) }
  }

  /// Whether a message has come before.
  func isKnown(_ id: MessageID) async throws(NodeError) -> Bool {
    if recent == nil {
      let ids = try await directory.store.recentMessages(of: row, limit: Self.recentLimit)
      if recent == nil { recent = RecentIDs(capacity: Self.recentLimit, ids.reversed()) }
    }
    return recent?.contains(id) ?? false
  }

  /// Remembers a message that is on disk.
  func note(_ id: MessageID) { recent?.insert(id) }
}

/// What two devices have between them, with its place in the database.
@LoopActor final class Correspondent {
  let party: Party
  var correspondence: Correspondence
  private let row: Int64
  private let conversation: Int64
  /// Of the last change that was handed to the database; nil: there is none yet.
  private var version: Int64?
  /// What has come in this turn and is to be written together.
  var arrivals: Arrivals?

  fileprivate init(_ row: ProfileStore.CorrespondenceRow, conversation: Int64) {
    party = row.party
    correspondence = row.correspondence
    self.row = row.id
    version = row.version
    self.conversation = conversation
  }

  fileprivate init(_ party: Party, row: Int64, conversation: Int64) {
    self.party = party
    correspondence = Correspondence()
    self.row = row
    version = nil
    self.conversation = conversation
  }

  /// The change that keeps the state as it is now, on top of the one before.
  func change(_ store: ProfileStore) -> MessageChange.Correspondence {
    var head = WireWriter()
    party.encode(into: &head)
    let state = correspondence.encoded
    let body = SecretBytes(count: head.bytes.count + state.count) { target in
      target.copy(from: head.bytes.raw)
      target.copy(from: state.bytes, at: head.bytes.count)
    }
    // Drawn, not counted: where this change is not written, another one from the same state must not get its version, or
    // what builds on this one would stand on that.
    let fresh = Int64.random(in: .min ... .max)
    defer { version = fresh }
    return MessageChange.Correspondence(
      row: row, conversation: conversation, replaces: version, version: fresh,
      body: store.seal(body.bytes, "correspondences", row))
  }
}
