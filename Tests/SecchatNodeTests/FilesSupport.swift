import Foundation
import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// Everything below a folder: relative paths, sorted; folders end with a slash.
func listing(_ path: String) -> [String] {
  let names = FileManager.default.subpaths(atPath: path) ?? []
  return names.map { name in
    var isFolder: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
    return exists && isFolder.boolValue ? name + "/" : name
  }.sorted()
}

func contents(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

func randomBytes(_ count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  bytes.withMutableRaw { Random.fill(&$0) }
  return bytes
}

/// One direction of a link in this process: frames, delivered in order by a task.
@LoopActor final class Wire: TransferChannel {
  /// Reads a frame; what it throws ends the link.
  var deliver: ((FrameType, [UInt8]) async throws(WireError) -> Void)?
  /// Sees each frame before it is delivered, and may change it.
  var tap: ((FrameType, inout [UInt8]) -> Void)?
  private(set) var violation: WireError?
  private(set) var types: [FrameType] = []
  private var frames: [(FrameType, [UInt8])] = []
  private var backlog = 0
  private var isRunning = false
  /// Whether everything has been delivered.
  var isIdle: Bool { !isRunning }
  private var drained: OneShot<Bool>?

  func send(_ message: some WireMessage) {
    put(type(of: message).type, Array(message.encoded.dropFirst()))
  }

  func sendChunk(_ header: ChunkHeader, in frame: inout MutableRawSpan) {
    header.write(into: &frame)
    put(.chunk, frame.bytes.extracting(ChunkHeader.frameOverhead..<frame.byteCount).array)
  }

  func flush() {}

  func drain() async throws(LinkError) {
    while backlog > 256 << 10 {
      let waiter = OneShot<Bool>()
      drained = waiter
      _ = try? await waiter.wait()
    }
  }

  private func put(_ type: FrameType, _ body: [UInt8]) {
    frames.append((type, body))
    backlog += body.count
    guard !isRunning else { return }
    isRunning = true
    Loop.spawn { await self.run() }
  }

  private func run() async {
    while !frames.isEmpty {
      var (type, body) = frames.removeFirst()
      backlog -= body.count
      tap?(type, &body)
      types.append(type)
      do throws(WireError) {
        try await deliver?(type, body)
      } catch {
        violation = error
      }
      if backlog <= 128 << 10 { drained?.fulfil(true) }
      if types.count % 16 == 0 { await Task.yield() }
    }
    isRunning = false
  }
}

/// A sender and a receiver, joined by two wires.
@LoopActor final class Meeting {
  let source: TemporaryFolder
  let target: TemporaryFolder
  let forth = Wire()
  let back = Wire()
  private(set) var outgoing: OutgoingTransfer
  private(set) var incoming: IncomingTransfer?
  private(set) var received: Result<Bool, NodeError>?
  private(set) var events: [Event] = []
  private(set) var peak = 0
  private let ended = OneShot<Bool>()
  var refusal: Refuse.Reason?
  var ways = DownloadFolder.Ways()
  var downloads: String
  private let keeping: TransferKeeping?

  /// - Parameters:
  ///   - before: whose transfer goes on.
  ///   - keeping: the receiver's, for one that may go on.
  init(
    source: TemporaryFolder, paths: [String], limitRate: UInt64? = nil, checksum: Bool = false,
    after before: Meeting? = nil, keeping: ((MessageID) -> TransferKeeping)? = nil
  ) throws {
    self.source = source
    target = try before?.target ?? TemporaryFolder(inMemory: true)
    downloads = target.file("downloads")
    let id: MessageID = before?.outgoing.id ?? Random.bytes()
    self.keeping = keeping?(id)
    let events = Box<(Event) -> Void>({ _ in })
    outgoing = OutgoingTransfer(
      paths: paths, to: "bob", stream: 1, id: id, channel: forth, limitRate: limitRate,
      checksum: checksum, events: { events.value($0) })
    events.value = { [weak self] in self?.events.append($0) }
    forth.deliver = { [weak self] (type, body) throws(WireError) in try await self?.toReceiver(type, body) }
    back.deliver = { [weak self] (type, body) throws(WireError) in
      self?.outgoing.handle(try PeerMessage(type: type, body: body.raw))
    }
  }

  var files: String { downloads + "/alice" }

  /// What is in alice's folder.
  var arrived: [String] { listing(files) }

  private func toReceiver(_ type: FrameType, _ body: [UInt8]) async throws(WireError) {
    if type == .chunk {
      try incoming?.take(chunk: body.raw)
      peak = max(peak, incoming?.queuedBytes ?? 0)
      return
    }
    let message = try PeerMessage(type: type, body: body.raw)
    guard case .offer(let offer) = message else {
      try incoming?.handle(message)
      await incoming?.room()
      return
    }
    if let refusal { return back.send(Refuse(id: offer.id, reason: refusal)) }
    let transfer = IncomingTransfer(
      offer, from: "alice", downloads: downloads, channel: back, promisedRoom: PromisedRoom(), ways: ways,
      keeping: keeping
    ) { [weak self] in self?.events.append($0) }
    incoming = transfer
    Loop.spawn {
      do throws(NodeError) {
        try await transfer.run()
        self.received = .success(true)
      } catch {
        self.received = .failure(error)
      }
      self.ended.fulfil(true)
    }
  }

  /// Runs the transfer to the end of both sides.
  func run() async throws(NodeError) {
    var failure: NodeError?
    do throws(NodeError) {
      try await outgoing.run()
    } catch {
      failure = error
    }
    if incoming != nil { _ = try? await ended.wait(deadline: .now + 60_000) }
    // A tap may hold this meeting, and with it the folders.
    forth.tap = nil
    back.tap = nil
    if let failure { throw failure }
  }

  func failure() async -> NodeError? {
    await TestSupport.failure { () throws(NodeError) in try await run() }
  }

  var receiverFailure: NodeError? {
    if case .failure(let error)? = received { error } else { nil }
  }

  var finished: [Event.File] {
    events.compactMap { if case .file(let file) = $0 { file } else { nil } }
  }

  var done: [Event.Transfer] {
    events.compactMap { if case .done(let transfer) = $0 { transfer } else { nil } }
  }
}

final class Box<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}

/// Both ways of reaching what is beneath a folder, and of renaming.
let allWays: [DownloadFolder.Ways] = [true, false].map {
  var ways = DownloadFolder.Ways()
  ways.openat2 = $0
  ways.renameat2 = $0
  return ways
}
