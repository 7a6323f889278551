package import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
package import SecchatNet

/// Sends files and folders over a link: OFFER, and once it is accepted ENTRY, CHUNK and END within the receiver's credit.
@LoopActor package final class OutgoingTransfer {
  private struct Item {
    var name: String
    var total: UInt64
    /// Symbolic links, sockets and devices that are left out.
    var skipped: Int
    var sent: UInt64 = 0
    /// Of these, what the receiver had before.
    var resumed: UInt64 = 0
    var begun: Instant?
    var checksum: String?
    var isFile = false
    var isSent = false
    var isDone = false
  }

  package let stream: UInt32
  package let id: MessageID
  /// Whether nothing of the stream is to be expected any more: the session forgets the transfer.
  package private(set) var isOver = false

  private let paths: [String]
  private let receiver: String
  private let channel: any TransferChannel
  private let checksum: Bool
  private var survey: SourceSurvey?
  private let events: (Event) -> Void
  private let changed = Signal()

  private var items: [Item] = []
  private var offer: Offer?
  private var accepted: Accept?
  private var credit: UInt64 = 0
  private var failure: NodeError?
  private var bucket: TokenBucket?
  private var lastProgress: Instant?
  /// Whether it was the other side that ended it for now, rather than the link.
  package private(set) var wasPaused = false
  /// Why it was refused.
  private(set) var refusal: Refuse.Reason?
  /// Bytes that the receiver has, or that are on their way.
  var progress: UInt64 { bytes }

  // What the receiver has, or will when what was sent comes.
  private var entries: UInt32 = 0
  private var announced: UInt64 = 0
  private var bytes: UInt64 = 0
  /// Of these, what was sent over this link.
  private var sent: UInt64 = 0
  private var item = -1
  private var fileIsOpen = false

  /// - Parameters:
  ///   - paths: absolute, at least one.
  ///   - receiver: the name for the events.
  ///   - stream: never used on the link before.
  ///   - limitRate: bytes a second; nil for as fast as can be.
  ///   - checksum: whether each file goes with its BLAKE2b.
  ///   - survey: of the paths, where it has been made.
  ///   - events: hears `offer`, `progress` and `done`.
  package init(
    paths: [String], to receiver: String, stream: UInt32, id: MessageID, channel: any TransferChannel,
    limitRate: UInt64? = nil, checksum: Bool = false, survey: SourceSurvey? = nil,
    events: @escaping (Event) -> Void
  ) {
    self.survey = survey
    self.paths = paths
    self.receiver = receiver
    self.stream = stream
    self.id = id
    self.channel = channel
    self.checksum = checksum
    self.events = events
    bucket = limitRate.map { TokenBucket(rate: $0) }
  }

  /// Sends it all, and waits until the receiver has it on disk.
  ///
  /// - Throws: 1 for what cannot be read or changed meanwhile, 6 where the peer went silent, 9 where it refused.
  package func run() async throws(NodeError) {
    do throws(NodeError) {
      try await makeOffer()
      // Who has a part of it reads that first.
      let reading = Int(clamping: (offer?.bytes ?? 0) / FileLimits.slowDisk)
      try await wait(
        FileLimits.answerPatience + reading,
        NodeError(.peerOffline, "\(receiver) did not answer the offer in time")
      ) { accepted != nil }
      try await sendAll()
      while let next = items.firstIndex(where: { !$0.isDone }) {
        try await wait(patience, stalled) { items[next].isDone }
      }
      isOver = true
    } catch {
      end(error, telling: .sourceFailed)
      throw failure ?? error
    }
  }

  // MARK: What the session says

  /// Takes ACCEPT, READY, REFUSE, ACK and CANCEL for this transfer.
  package func handle(_ message: PeerMessage) {
    guard !isOver else { return }
    switch message {
    case .accept(let accept): accepted = accepted ?? accept
    case .ready(let ready): credit = max(credit, ready.limit)
    case .refuse(let refuse):
      refusal = refuse.reason
      end(refused(refuse.reason), telling: nil)
    case .ack(let ack): acknowledge(ack.part)
    case .cancel(let cancel):
      if failure == nil, !isOver { channel.send(Cancel(stream: stream, reason: .stopped)) }
      wasPaused = failure == nil && cancel.reason == .paused
      end(cancellation(cancel.reason), telling: nil)
      isOver = true
    case .chat, .inquire, .prekeys, .offer, .entry, .end, .resume: return
    }
    changed.raise()
  }

  /// Ends it because the link has.
  package func fail(_ error: NodeError) {
    end(error, telling: nil)
    isOver = true
  }

  /// Ends it because the user says so, for now or for good.
  package func stop(pausing: Bool = false) {
    end(
      NodeError(.refused, pausing ? "the transfer was paused" : "the transfer was stopped"),
      telling: pausing ? .paused : .stopped)
  }

  private func end(_ error: NodeError, telling reason: Cancel.Reason?) {
    guard failure == nil, !isOver else { return }
    failure = error
    if let reason, offer != nil {
      channel.send(Cancel(stream: stream, reason: reason))
      channel.flush()
    } else {
      isOver = true
    }
    changed.raise()
  }

  private func acknowledge(_ part: UInt32) {
    // It is for an earlier stream of this transfer, which the receiver has left before it accepts this one.
    guard accepted != nil else { return }
    guard failure == nil else {
      // Everything had arrived when the CANCEL did: no other answer comes.
      if Int(part) == items.count - 1 { isOver = true }
      return
    }
    guard part < items.count, items[Int(part)].isSent, !items[Int(part)].isDone else {
      return end(
        NodeError(.integrity, "\(receiver) confirmed what was not sent", hint: "its program is at fault"),
        telling: .malformed)
    }
    let index = Int(part)
    items[index].isDone = true
    var done = transfer(index, bytes: items[index].total)
    if items[index].skipped > 0 { done.skipped = items[index].skipped }
    events(.done(done))
  }

  // MARK: Sending

  private func makeOffer() async throws(NodeError) {
    let paths = paths
    var made = survey
    if made == nil { made = try await Loop.offload { () throws(NodeError) in try SourceSurvey(paths) } }
    guard let survey = made else { return }
    self.survey = survey
    if let failure { throw failure }
    guard let first = survey.items.first else { throw NodeError(.usage, "nothing to send") }
    items = survey.items.map { Item(name: $0.name, total: $0.bytes, skipped: $0.skipped) }
    let offer = Offer(
      stream: stream, id: id, items: UInt32(items.count), entries: survey.entries, bytes: survey.bytes,
      name: first.name)
    self.offer = offer
    channel.send(offer)
    channel.flush()
    for index in items.indices { events(.offer(transfer(index, bytes: 0))) }
  }

  private func sendAll() async throws(NodeError) {
    let reader = SourceReader(paths, checksum: checksum)
    if let held = accepted?.held {
      try await goOn(after: held, reader)
      if items.allSatisfy(\.isDone) { return }
    }
    var full = Block()
    var empty = Block()
    var ahead = ReadAhead(reader, into: full)
    while true {
      let pieces = try await ahead.outcome().get()
      if pieces.isEmpty { break }
      ahead = ReadAhead(reader, into: empty)
      do throws(NodeError) {
        for piece in pieces { try await send(piece, of: full) }
      } catch {
        // The block is the other thread's until it is done.
        _ = await ahead.outcome()
        throw error
      }
      swap(&full, &empty)
    }
    guard let offer, entries == offer.entries, bytes == offer.bytes else {
      throw SourceReader.changed(items[0].name)
    }
    channel.flush()
  }

  /// Leaves out what the receiver has, once that has turned out to be what is here.
  private func goOn(after held: Held, _ reader: SourceReader) async throws(NodeError) {
    guard let survey, held.item <= UInt32(items.count), held.item < UInt32(items.count) || held.entries == 0
    else {
      let error = NodeError(
        .integrity, "\(receiver) has what was not offered", hint: "its program is at fault")
      end(error, telling: .integrity)
      throw error
    }
    for index in 0..<Int(held.item) {
      (items[index].isSent, items[index].sent, items[index].resumed) = (
        true, items[index].total, items[index].total
      )
      entries += survey.items[index].entries
      announced += survey.items[index].bytes
      bytes += survey.items[index].bytes
      item = index
      acknowledge(UInt32(index))
    }
    guard held.item < UInt32(items.count) else { return }
    guard held.entries > 0 else {
      return try await Loop.offload { () throws(NodeError) in try reader.skip(to: held.item) }
    }
    let isSame = try await verify(held, reader)
    channel.send(Resume(stream: stream, isVerified: isSame))
    events(
      .offer(
        transfer(Int(held.item), bytes: items[Int(held.item)].sent, state: isSame ? "resumed" : "restarted")))
  }

  private func verify(_ held: Held, _ reader: SourceReader) async throws(NodeError) -> Bool {
    let block = Block()
    while true {
      let step = try await Loop.offload { () in reader.check(held, with: block) }.get()
      if let failure { throw failure }
      switch step {
      case .more: continue
      case .different: return false
      case .same(let entries, let announced, let fileIsOpen):
        // A file may have grown since it was offered, and a receiver guess what to.
        guard let offer, announced <= offer.bytes - self.announced else {
          throw SourceReader.changed(items[Int(held.item)].name)
        }
        item = Int(held.item)
        self.entries += entries
        self.announced += announced
        self.fileIsOpen = fileIsOpen
        items[item].isFile = survey?.items[item].isFile ?? false
        let unsent = fileIsOpen ? reader.left : 0
        (items[item].sent, items[item].resumed) = (announced - unsent, announced - unsent)
        bytes += announced - unsent
        noteSent()
        return true
      }
    }
  }

  private func send(_ piece: SourcePiece, of block: Block) async throws(NodeError) {
    if let failure { throw failure }
    switch piece {
    case .entry(let entry): try begin(entry)
    case .data(let range): try await send(range, of: block)
    case .end(let size, let digest):
      channel.send(End(stream: stream, size: size, digest: digest))
      fileIsOpen = false
      // The checksum of a folder there is not: only where the item is the file.
      items[item].checksum = items[item].isFile ? digest?.description : nil
    }
    noteSent()
    if case .data = piece { return }
    // Also where nothing has to wait: it lets the link have its turn in between, which is faster than not to ask.
    try await drain()
  }

  private func begin(_ entry: Entry) throws(NodeError) {
    guard let offer, entries < offer.entries, entry.size <= offer.bytes - announced, entry.item < offer.items
    else {
      throw SourceReader.changed(entry.path)
    }
    entries += 1
    announced += entry.size
    if entry.item > item {
      if item >= 0 { items[item].isSent = true }
      item = Int(entry.item)
      items[item].isFile = entry.kind == .file
    }
    fileIsOpen = entry.kind == .file
    var entry = entry
    entry.stream = stream
    channel.send(entry)
  }

  /// The receiver may confirm an item as soon as it can know that nothing of it follows.
  private func noteSent() {
    guard !fileIsOpen, items[item].isFile || entries == offer?.entries else { return }
    items[item].isSent = true
  }

  private func send(_ range: Range<Int>, of block: Block) async throws(NodeError) {
    var start = range.lowerBound
    while start < range.upperBound {
      if credit <= sent {
        channel.flush()
        try await wait(patience, stalled) { credit > sent }
      }
      var count = min(range.upperBound - start, SecchatCore.Limits.chunkData)
      count = Int(min(UInt64(count), credit - sent))
      if let portion = bucket?.portion { count = min(count, portion) }
      try await pace(count)
      if items[item].begun == nil { items[item].begun = .now }
      block.withFrame(start..<(start + count)) { frame in
        channel.sendChunk(ChunkHeader(stream: stream), in: &frame)
      }
      start += count
      bytes += UInt64(count)
      sent += UInt64(count)
      items[item].sent += UInt64(count)
      report()
      try await drain()
    }
  }

  private func pace(_ count: Int) async throws(NodeError) {
    guard let delay = bucket?.take(count, at: .now), delay > 0 else { return }
    channel.flush()
    do {
      try await Loop.sleep(for: delay)
    } catch {
      stop()
    }
    if let failure { throw failure }
  }

  private func drain() async throws(NodeError) {
    do throws(LinkError) {
      try await channel.drain()
    } catch {
      fail(
        NodeError(
          .peerOffline, "the connection to \(receiver) ended", hint: "send it again when they are back"))
    }
    if let failure { throw failure }
  }

  /// A receiver that checks a digest or waits for its disk needs time for what it has not confirmed yet.
  private var patience: Int {
    let open = items.lazy.filter { !$0.isDone }.reduce(0) { $0 + $1.sent }
    return FileLimits.stallPatience + Int(clamping: open / FileLimits.slowDisk)
  }

  private func wait(
    _ patience: Int, _ late: NodeError, until condition: () -> Bool
  ) async throws(NodeError) {
    let deadline = Loop.now + patience
    while failure == nil, !condition() {
      guard await changed.wait(until: deadline) || condition() else {
        end(late, telling: .paused)
        break
      }
    }
    if let failure { throw failure }
  }

  // MARK: Events and errors

  private func report() {
    let now = Instant.now
    if let lastProgress, now - lastProgress < FileLimits.progressInterval { return }
    lastProgress = now
    events(.progress(transfer(item, bytes: items[item].sent)))
  }

  private func transfer(_ index: Int, bytes: UInt64, state: String? = nil) -> Event.Transfer {
    let item = items[index]
    return Event.Transfer(
      id: id.description, to: receiver, name: item.name, bytes: bytes, total: item.total,
      seconds: item.begun.map { Double(Instant.now - $0) / 1_000 } ?? 0, resumedFrom: item.resumed,
      checksum: item.checksum, state: state)
  }

  private var stalled: NodeError {
    NodeError(.peerOffline, "\(receiver) takes nothing any more", hint: "send it again when they are back")
  }

  private func refused(_ reason: Refuse.Reason) -> NodeError {
    switch reason {
    case .declined: NodeError(.refused, "\(receiver) declined the offer")
    case .unanswered:
      NodeError(.refused, "\(receiver) did not answer the offer", hint: "ask them to accept it")
    case .noRoom: NodeError(.refused, "\(receiver) has no room for it", hint: "ask them to make room")
    case .busy, .undecryptable, .unknownPrekey, .outOfTurn:
      NodeError(.refused, "\(receiver) has too many transfers open", hint: "try again later")
    }
  }

  private func cancellation(_ reason: Cancel.Reason) -> NodeError {
    switch reason {
    case .stopped: NodeError(.refused, "\(receiver) stopped the transfer")
    case .paused: NodeError(.refused, "\(receiver) paused the transfer", hint: "it goes on when they say so")
    case .targetFailed, .sourceFailed: NodeError(.refused, "\(receiver) could not write the files")
    case .diskFull: NodeError(.refused, "the disk of \(receiver) is full", hint: "ask them to make room")
    case .integrity:
      NodeError(.integrity, "\(receiver) received something else than was sent", hint: "send it again")
    case .malformed: NodeError(.refused, "\(receiver) does not take files of these names")
    }
  }
}
