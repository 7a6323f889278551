internal import SecchatCore
internal import SecchatNet

/// The transfers of a profile: those that are remembered, sealed on disk, and those at work.
@LoopActor final class Transfers {
  private var rows: [TransferRecord.Key: (row: Int64, record: TransferRecord)] = [:]
  private var nextRow: Int64 = 1
  private let store: ProfileStore

  /// Being sent, or on the point of it.
  var sending: [MessageID: Sending] = [:]
  /// Being received.
  var receiving: [TransferRecord.Key: Receiving] = [:]
  /// Offers that the user was asked about: the same one may be made again after its link has ended.
  private var asked: [TransferRecord.Key: Offer] = [:]
  /// How long each that failed waits before the next try, and which try that is.
  private var pauses: [MessageID: (milliseconds: Int, turn: Int)] = [:]

  /// What is not over after this time is not remembered any longer (seconds).
  static let life: UInt64 = 7 * 86_400
  /// Outgoing transfers that may wait, and incoming ones that are remembered because they are over.
  static let most = 1_000
  /// Incoming transfers of one sender that may wait to be gone on with.
  static let unfinishedOfOne = 16
  private static let mostAsked = 256
  private static let firstPause = 1_000
  private static let longestPause = 300_000
  private static let longestUnwanted = 20_000

  init(_ store: ProfileStore) async throws(NodeError) {
    self.store = store
    for (row, record) in try await store.transfers() {
      rows[record.key] = (row, record)
      nextRow = max(nextRow, row + 1)
    }
  }

  subscript(key: TransferRecord.Key) -> TransferRecord? { rows[key]?.record }

  /// The oldest first.
  var all: [TransferRecord] { rows.values.sorted { $0.row < $1.row }.map(\.record) }

  var waiting: [TransferRecord] { all.filter { !$0.key.isIncoming && $0.state == .waiting } }

  /// The transfer of the same files to the same user that is not over: remembered, or about to be.
  func outgoing(_ paths: [String], checksum: Bool, to peer: Account) -> TransferRecord? {
    (rows.values.map(\.record) + sending.values.map(\.record)).first {
      guard $0.peer == peer, let source = $0.source, source.checksum == checksum else { return false }
      return source.paths.elementsEqual(paths) { $0.hasBytes(of: $1) }
    }
  }

  /// The incoming ones whose parts stay on disk; of all users, for two at different registries may share a folder.
  var kept: Set<MessageID> {
    Set(
      rows.values.lazy.map(\.record).filter {
        $0.key.isIncoming && ($0.state == .waiting || $0.state == .paused)
      }.map(\.id))
  }

  // MARK: Changes

  /// Durable when it returns.
  func save(_ record: TransferRecord) async throws(NodeError) {
    var record = record
    record.changed = Clock.unixSeconds
    let before = rows[record.key]
    let row = before?.row ?? nextRow
    if row == nextRow { nextRow += 1 }
    rows[record.key] = (row, record)
    do throws(NodeError) {
      try await store.save(record, row: row)
    } catch {
      // On disk it is as before: so it is in memory, unless somebody changed it meanwhile.
      if self[record.key] == record { rows[record.key] = before }
      throw error
    }
  }

  /// Another transfer takes the place of one: on disk in one step, and with whoever sends it. Durable before it counts:
  /// till then the old one is what the user may speak of.
  func replace(_ old: TransferRecord.Key, by record: TransferRecord) async throws(NodeError) {
    guard let row = rows[old]?.row else { throw NodeError(.refused, "the transfer was cancelled") }
    var record = record
    record.changed = Clock.unixSeconds
    try await store.save(record, row: row)
    rows[old] = nil
    pauses[old.id] = nil
    rows[record.key] = (row, record)
    guard let sending = sending.removeValue(forKey: old.id) else { return }
    sending.record = record
    self.sending[record.id] = sending
  }

  /// Durable when it returns; where it throws, the transfer is as it was.
  func remove(_ key: TransferRecord.Key) async throws(NodeError) {
    guard let before = rows.removeValue(forKey: key) else { return }
    do throws(NodeError) {
      try await store.removeTransfer(row: before.row)
    } catch {
      if rows[key] == nil { rows[key] = before }
      throw error
    }
    pauses[key.id] = nil
  }

  /// Removes one that is over. Where the disk does not take that it is known again after the next start: an incoming one
  /// until it is too old, an outgoing one until its receiver has said the same again.
  func forget(_ key: TransferRecord.Key) async {
    guard let row = rows.removeValue(forKey: key)?.row else { return }
    pauses[key.id] = nil
    try? await store.removeTransfer(row: row)
  }

  /// Forgets what nobody has come back to for long, and the oldest of more than there may be.
  func expire() async {
    let now = Clock.unixSeconds
    let incoming = all.filter(\.key.isIncoming)
    for record in incoming where record.changed + Self.life < now { await forgetIdle(record) }
    let done = incoming.filter { $0.state == .done || $0.state == .cancelled }
    for record in done.dropLast(Self.most) { await forgetIdle(record) }
  }

  /// Forgets the oldest unfinished transfers of a sender that are not at work, where there are too many.
  ///
  /// - Parameter coming: how many are about to be added.
  /// - Returns: where their parts are.
  @discardableResult
  func makeRoom(for coming: Int = 0, from peer: Account) async -> Set<String> {
    let unfinished = all.filter {
      $0.key.isIncoming && $0.peer == peer && ($0.state == .waiting || $0.state == .paused)
    }
    let idle = unfinished.filter { receiving[$0.key] == nil }
    let excess = idle.prefix(max(0, unfinished.count + coming - Self.unfinishedOfOne))
    for record in excess { await forgetIdle(record) }
    return Set(excess.map(\.downloads))
  }

  /// Forgets an incoming transfer, unless it has been taken up meanwhile.
  private func forgetIdle(_ record: TransferRecord) async {
    guard receiving[record.key] == nil, self[record.key] == record else { return }
    await forget(record.key)
  }

  // MARK: Offers

  /// Whether the user may be asked: an id stays that of the offer first made with it.
  func mayAsk(_ offer: Offer, _ key: TransferRecord.Key, isNew: Bool) -> Bool {
    var offer = offer
    offer.stream = 0
    // What was forgotten for others may be asked about once more.
    if !isNew, let first = asked[key] { return first == offer }
    if asked.count >= Self.mostAsked { asked = [:] }
    asked[key] = offer
    return true
  }

  // MARK: Tries

  /// How long to wait before the next try, and its number; the pauses grow.
  func pause(_ id: MessageID, isWanted: Bool) -> (milliseconds: Int, turn: Int) {
    let last = pauses[id]
    let longest = isWanted ? Self.longestPause : Self.longestUnwanted
    let pause = last.map { min(2 * $0.milliseconds, longest) } ?? Self.firstPause
    let next = (pause, (last?.turn ?? 0) + 1)
    pauses[id] = next
    return next
  }

  /// How much longer the longest pause is.
  static func rest(after pause: Int) -> Int? { pause < longestPause ? longestPause - pause : nil }

  func isDue(_ id: MessageID, turn: Int) -> Bool { pauses[id]?.turn == turn }

  /// Begins with short pauses again.
  func resetPause(_ id: MessageID) {
    if let turn = pauses[id]?.turn { pauses[id] = (Self.firstPause / 2, turn) }
  }
}

/// Those who wait for the end of something.
@LoopActor final class Ending {
  private var waiters: [OneShot<Bool>] = []
  private(set) var hasCome = false

  nonisolated init() {}

  /// Ends early where the task is cancelled.
  func wait() async {
    guard !hasCome else { return }
    let waiter = OneShot<Bool>()
    waiters.append(waiter)
    await withTaskCancellationHandler {
      _ = try? await waiter.wait()
    } onCancel: {
      _ = Loop.spawn { waiter.fulfil(false) }
    }
  }

  func come() {
    hasCome = true
    for waiter in waiters { waiter.fulfil(true) }
    waiters = []
  }
}

/// An incoming transfer at work.
@LoopActor final class Receiving {
  var transfer: IncomingTransfer?
  let gone = Ending()
}

/// An outgoing transfer at work. Whoever asked for it hears of it for as long as they are there; it does not end with
/// them.
@LoopActor final class Sending {
  /// As it was when it began. Of a source that has changed it becomes another one.
  var record: TransferRecord
  var transfer: OutgoingTransfer?
  /// What the user wants of it.
  var wish: TransferAction?
  /// Why that could not be noted.
  var unheeded: NodeError?
  private(set) var result: Result<Void, NodeError>?
  let ended = Ending()
  private var listeners: [Int: (Event) -> Void] = [:]
  private var next = 0
  private let unheard: (Event) -> Void

  /// - Parameter unheard: hears what nobody else does.
  init(_ record: TransferRecord, unheard: @escaping (Event) -> Void) {
    self.record = record
    self.unheard = unheard
  }

  var key: TransferRecord.Key { record.key }

  var isHeard: Bool { !listeners.isEmpty }

  func listen(_ listener: @escaping (Event) -> Void) -> Int {
    next += 1
    listeners[next] = listener
    return next
  }

  func unlisten(_ id: Int) { listeners[id] = nil }

  func tell(_ event: Event) {
    guard isHeard else { return unheard(event) }
    for listener in listeners.values { listener(event) }
  }

  func end(_ result: Result<Void, NodeError>) {
    self.result = result
    ended.come()
  }
}
