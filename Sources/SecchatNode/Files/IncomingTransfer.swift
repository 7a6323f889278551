package import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
package import SecchatNet

/// Receives what an OFFER named: ACCEPT, credit by READY, and an ACK for each item that lies on disk under its name.
///
/// The link's reader hands over what comes; a task writes it on other threads. In between stands a queue that the credit
/// bounds.
@LoopActor package final class IncomingTransfer {
  package let stream: UInt32
  package let id: MessageID
  /// Whether nothing of the stream is to be expected any more: the session forgets the transfer.
  package private(set) var isOver = false
  /// Bytes that wait for the disk: never more than the credit.
  package private(set) var queuedBytes = 0

  private let offer: Offer
  private let sender: String
  private let downloads: String
  private let ways: DownloadFolder.Ways
  private let channel: any TransferChannel
  private let promisedRoom: PromisedRoom
  private let keeping: TransferKeeping?
  private let events: (Event) -> Void

  /// What of the room that was promised to this transfer has not been written yet.
  private var promised: UInt64 = 0
  private var order: EntryOrder
  private var failure: NodeError?
  /// Whether what has come stays after a failure, to go on another time.
  private var keeps = false
  private var writer: ItemWriter?
  private var recovery = Recovery()
  /// Whether RESUME is to come.
  private var awaitsResume = false
  private var finished: UInt32 = 0
  private let work = Signal()
  private let space = Signal()

  private var queue: [WriteOperation] = []
  private var queuedEntries = 0
  /// Whether an item is complete in the queue: its sender waits for the ACK.
  private var itemsWait = false
  private var tail: Block?
  private var spare: [Block] = []
  private var received: UInt64 = 0
  private var written: UInt64 = 0
  private var granted: UInt64 = 0

  /// - Parameters:
  ///   - offer: what the user, or a rule, has agreed to.
  ///   - sender: a user's name; also that of the folder under `downloads`.
  ///   - downloads: an absolute path.
  ///   - promisedRoom: of the node.
  ///   - keeping: by what it may go on another time; nil for never.
  ///   - events: hears `file`.
  package init(
    _ offer: Offer, from sender: String, downloads: String, channel: any TransferChannel,
    promisedRoom: PromisedRoom, ways: DownloadFolder.Ways = .init(), keeping: TransferKeeping? = nil,
    events: @escaping (Event) -> Void
  ) {
    self.offer = offer
    self.sender = sender
    self.downloads = downloads
    self.ways = ways
    self.channel = channel
    self.keeping = keeping
    self.promisedRoom = promisedRoom
    self.events = events
    stream = offer.stream
    id = offer.id
    order = EntryOrder(offer)
  }

  /// Accepts the offer and receives all of it. Where that fails nothing incomplete is left behind, unless the link has
  /// ended or the sender pauses: then what has come is kept for the next time.
  ///
  /// - Throws: 2 where it cannot be written, 8 where what comes is not what was offered, 9 where the sender stopped.
  package func run() async throws(NodeError) {
    defer { settle(promised) }
    let (folder, writer): (DownloadFolder, ItemWriter)
    do throws(NodeError) {
      if let failure { throw failure }
      if keeping?.isComplete == true { return confirmAll() }
      (folder, writer) = try await open()
    } catch {
      end(error, telling: .targetFailed)
      throw failure ?? error
    }
    self.writer = writer
    if failure == nil { accept(in: folder) }
    await write(with: writer, in: folder)
    if keeps { await writeRest(with: writer, in: folder) }
    queue = []
    tail = nil
    spare = []
    space.raise()
    if finished == offer.items {
      isOver = true
      return
    }
    let keeps = keeps && keeping != nil
    await Loop.offload { keeps ? writer.suspend() : writer.discard() }
    if let failure { throw failure }
  }

  /// Removes what was noted of a complete transfer, once its being complete is remembered elsewhere.
  package func forget() async {
    guard let writer else { return }
    await Loop.offload { writer.forget() }
  }

  /// Whether what has come is on disk, to go on from another time.
  package var isKept: Bool { keeps && keeping != nil && finished < offer.items }

  /// Bytes of it that are on disk.
  package var heldBytes: UInt64 { recovery.bytes + written }

  private func accept(in folder: DownloadFolder) {
    let held = recovery.held
    finished = recovery.finished
    awaitsResume = recovery.open != nil
    for item in recovery.settled { tell(item, in: folder, resumedFrom: item.bytes) }
    channel.send(Accept(stream: stream, held: held))
    if finished == offer.items { isOver = true } else { grant() }
    channel.flush()
  }

  private func confirmAll() {
    recovery.finished = offer.items
    recovery.finishedBytes = offer.bytes
    channel.send(Accept(stream: stream, held: recovery.held))
    channel.flush()
    finished = offer.items
    isOver = true
  }

  /// Opens the folder, finds what there is of the transfer, and refuses where there is no room.
  private func open() async throws(NodeError) -> (DownloadFolder, ItemWriter) {
    let (downloads, sender, ways, keeping) = (downloads, sender, ways, keeping)
    let entries = UInt64(offer.entries)
    let mark = promisedRoom.mark
    let (opened, spare) = try await Loop.offload { () throws(NodeError) in
      let folder = try DownloadFolder(
        downloads: downloads, sender: sender, keeping: keeping?.others ?? [], ways: ways)
      let writer = ItemWriter(folder)
      let recovery: Recovery
      do throws(SystemError) {
        recovery =
          try keeping.map { keeping throws(SystemError) in try writer.recover(keeping.seal) } ?? .init()
      } catch { throw TransferFailure(error).error }
      return ((folder, writer, recovery), (try? folder.spare(entries: entries)) ?? .max)
    }
    let (folder, writer) = (opened.0, opened.1)
    guard order.goOn(after: opened.2) else {
      await Loop.offload { writer.discard() }
      throw TransferFailure.malformed.error
    }
    recovery = opened.2
    guard failure == nil else { return (folder, writer) }
    let (needed, overflow) = (offer.bytes - recovery.bytes).addingReportingOverflow(
      entries * FileLimits.entryOverhead
        + (keeping == nil ? 0 : min(entries * FileLimits.journalEntry, FileLimits.journal)))
    if !overflow, promisedRoom.promise(needed, of: spare, since: mark) {
      promised = needed
    } else {
      channel.send(Refuse(id: id, reason: .noRoom))
      channel.flush()
      end(
        NodeError(
          .refused, "no room for \(offer.bytes) bytes from \(sender)",
          hint: "make room in the download folder"),
        telling: nil)
      // There may be room another time.
      keeps = recovery.held != nil
    }
    return (folder, writer)
  }

  private func settle(_ bytes: UInt64) {
    let bytes = min(bytes, promised)
    promised -= bytes
    promisedRoom.settle(bytes)
  }

  // MARK: What the session says

  /// Takes ENTRY, END and CANCEL of this stream. After an ENTRY the reader waits for `room`.
  ///
  /// - Throws: what the link must end for.
  package func handle(_ message: PeerMessage) throws(WireError) {
    if case .cancel(let cancel) = message { return cancelled(cancel.reason) }
    guard failure == nil, !isOver else { return }
    do throws(TransferFailure) {
      if case .resume(let resume) = message { return try goOn(resume.isVerified) }
      guard !awaitsResume else { throw .malformed }
      switch message {
      case .entry(let entry): try begin(entry)
      case .end(let end): try finish(end)
      default: throw .malformed
      }
    } catch {
      end(error.error, telling: error.reason)
    }
    guard queuedEntries <= FileLimits.queuedEntriesAtMost else { throw .malformed }
  }

  /// Takes the data of a CHUNK of this stream.
  ///
  /// - Throws: `malformed` for data beyond the credit, which the link must end for.
  package func take(chunk data: RawSpan) throws(WireError) {
    guard !isOver else { return }
    received += UInt64(data.byteCount)
    guard received <= granted else { throw .malformed }
    guard failure == nil else { return }
    do throws(TransferFailure) {
      guard !awaitsResume else { throw .malformed }
      try order.chunk(data.byteCount)
    } catch {
      return end(error.error, telling: error.reason)
    }
    store(data)
    tellWriter()
  }

  /// Waits while more entries are queued than the disk keeps up with.
  package func room() async {
    while queuedEntries >= FileLimits.queuedEntries, failure == nil, !isOver { _ = await space.wait() }
  }

  /// Ends it because the link has, or the sender goes on with it over another.
  package func fail(_ error: NodeError) {
    if failure == nil { keeps = true }
    end(error, telling: nil)
    isOver = true
  }

  /// Ends it because the user says so, for now or for good.
  package func stop(pausing: Bool = false) {
    if pausing, failure == nil { keeps = true }
    end(
      NodeError(.refused, pausing ? "the transfer was paused" : "the transfer was stopped"),
      telling: pausing ? .paused : .stopped)
  }

  private func cancelled(_ reason: Cancel.Reason) {
    if reason == .paused, failure == nil { keeps = true }
    if failure == nil, !isOver {
      channel.send(Cancel(stream: stream, reason: .stopped))
      end(
        NodeError(.refused, "\(sender) \(reason == .paused ? "paused" : "stopped") the transfer"),
        telling: nil)
    }
    isOver = true
  }

  private func end(_ error: NodeError, telling reason: Cancel.Reason?) {
    guard failure == nil, !isOver else { return }
    failure = error
    if let reason {
      channel.send(Cancel(stream: stream, reason: reason))
      channel.flush()
    } else {
      isOver = true
    }
    work.raise()
    space.raise()
  }

  // MARK: The queue

  /// Goes on with what is held, or begins its item anew.
  private func goOn(_ isVerified: Bool) throws(TransferFailure) {
    guard awaitsResume else { throw .malformed }
    awaitsResume = false
    if isVerified {
      if order.endsLastItem() { append(.finish) }
    } else {
      guard order.begin(after: recovery) else { throw .malformed }
      recovery.open = nil
      append(.anew)
    }
    tellWriter()
  }

  private func begin(_ entry: Entry) throws(TransferFailure) {
    guard granted > 0 else { throw .malformed }
    let step = try order.entry(entry)
    if step.endsItem { append(.finish) }
    append(step.beginsItem ? .begin(entry, step.path) : .inside(entry, step.path))
    queuedEntries += 1
    if order.endsLastItem() { append(.finish) }
    tellWriter()
  }

  private func finish(_ end: End) throws(TransferFailure) {
    let endsItem = try order.end(end)
    append(.end(digest: end.digest))
    if endsItem || order.endsLastItem() { append(.finish) }
    tellWriter()
  }

  private func append(_ operation: WriteOperation) {
    queue.append(operation)
    if case .finish = operation { itemsWait = true }
  }

  /// Whether what is queued is worth a trip to another thread now: a few frames are not while more are on their way.
  private var isDue: Bool {
    itemsWait || queuedBytes >= FileLimits.block || queuedEntries >= FileLimits.entriesAtOnce
  }

  private func tellWriter() {
    if queue.count == 1 || isDue { work.raise() }
  }

  /// The block for the next data, with room.
  private var blockWithRoom: Block {
    if let tail, tail.room > 0 { return tail }
    let block = spare.popLast() ?? Block()
    tail = block
    return block
  }

  /// Puts the data into the last block and a new one, as far as it goes.
  private func store(_ data: RawSpan) {
    queuedBytes += data.byteCount
    var start = 0
    while start < data.byteCount {
      let block = blockWithRoom
      let count = min(block.room, data.byteCount - start)
      let range = block.count..<(block.count + count)
      block.append(data.extracting(start..<(start + count)))
      start += count
      if case .data(let last, let before)? = queue.last, last === block, before.upperBound == range.lowerBound
      {
        queue[queue.count - 1] = .data(block, before.lowerBound..<range.upperBound)
      } else {
        queue.append(.data(block, range))
      }
    }
  }

  private func write(with writer: ItemWriter, in folder: DownloadFolder) async {
    while failure == nil, finished < offer.items {
      guard !queue.isEmpty else {
        _ = await work.wait()
        continue
      }
      let due = Instant.now + FileLimits.gathering
      while !isDue, failure == nil, await work.wait(until: due) {}
      if failure != nil { break }
      await writeQueue(with: writer, in: folder)
      if failure == nil { grant() }
      channel.flush()
      space.raise()
    }
  }

  private func writeQueue(with writer: ItemWriter, in folder: DownloadFolder) async {
    let batch = queue
    let entries = queuedEntries
    let bytes = queuedBytes
    queue = []
    itemsWait = false
    // What comes now goes into another block: this one is the other thread's.
    tail = nil
    let result = await Loop.offload { writer.perform(batch) }
    queuedEntries -= entries
    queuedBytes -= bytes
    written += UInt64(bytes)
    settle(UInt64(bytes) + UInt64(entries) * FileLimits.entryOverhead)
    recycle(batch)
    for item in result.finished { confirm(item, in: folder) }
    if let failure = result.failure {
      keeps = false
      end(failure.error, telling: failure.reason)
    }
  }

  /// What had come before the link ended need not come again.
  private func writeRest(with writer: ItemWriter, in folder: DownloadFolder) async {
    if !queue.isEmpty { await writeQueue(with: writer, in: folder) }
  }

  private func recycle(_ batch: [WriteOperation]) {
    for case .data(let block, _) in batch where spare.count < FileLimits.spareBlocks {
      guard spare.last !== block else { continue }
      block.clear()
      spare.append(block)
    }
  }

  /// Grants more once half of the credit is used up.
  private func grant() {
    let limit = written + Limits.fileCredit
    guard granted < offer.bytes || granted == 0, limit - granted >= Limits.fileCredit / 2 else { return }
    granted = limit
    channel.send(Ready(stream: stream, limit: limit))
  }

  private func confirm(_ item: FinishedItem, in folder: DownloadFolder) {
    finished += 1
    if !isOver { channel.send(Ack(id: id, part: item.item)) }
    let resumed = recovery.open.map { $0.number == item.item ? $0.bytes : 0 } ?? 0
    tell(item, in: folder, resumedFrom: resumed)
    // All is on disk: a sender that leaves now leaves nothing unfinished.
    if finished == offer.items { isOver = true }
  }
}

extension IncomingTransfer {
  private func tell(_ item: FinishedItem, in folder: DownloadFolder, resumedFrom: UInt64) {
    events(
      .file(
        Event.File(
          id: id.description, from: sender, name: item.name, path: folder.path + "/" + item.name,
          bytes: item.bytes, resumedFrom: resumedFrom)))
  }
}

extension IncomingTransfer: Landing {
  /// Lends the place where the data of the stream's next CHUNK belongs.
  package func withLanding<Result>(_ count: Int, _ body: (inout MutableRawSpan) -> Result) -> Result? {
    guard failure == nil, !isOver else { return nil }
    return blockWithRoom.withLanding(count, body)
  }
}
