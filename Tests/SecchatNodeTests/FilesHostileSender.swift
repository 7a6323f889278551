import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatNode
import TestSupport
import Testing

/// A sender that says whatever a test lets it say, and the receiver it says it to.
@LoopActor final class HostileSender {
  let folder: TemporaryFolder
  let back = Wire()
  let offer: Offer
  private(set) var receiver: IncomingTransfer
  private(set) var answers: [PeerMessage] = []
  private(set) var files: [Event.File] = []
  private(set) var failure: NodeError?
  private(set) var hasEnded = false

  init(
    items: UInt32 = 1, entries: UInt32 = 1, bytes: UInt64 = 0, name: String = "x",
    folder: TemporaryFolder? = nil, room: PromisedRoom = PromisedRoom(), ways: DownloadFolder.Ways = .init(),
    keeping: TransferKeeping? = nil, id: MessageID = Random.bytes()
  ) throws {
    let folder = try folder ?? TemporaryFolder(inMemory: true)
    self.folder = folder
    offer = Offer(stream: 7, id: id, items: items, entries: entries, bytes: bytes, name: name)
    let events = Box<(Event) -> Void>({ _ in })
    receiver = IncomingTransfer(
      offer, from: "mallory", downloads: folder.file("downloads"), channel: back, promisedRoom: room,
      ways: ways, keeping: keeping,
      events: { events.value($0) })
    events.value = { [weak self] in if case .file(let file) = $0 { self?.files.append(file) } }
    back.deliver = { [weak self] (type, body) throws(WireError) in
      self?.answers.append(try PeerMessage(type: type, body: body.raw))
    }
  }

  /// Lets the receiver accept.
  func begin() async {
    let receiver = receiver
    Loop.spawn {
      do throws(NodeError) {
        try await receiver.run()
      } catch {
        self.failure = error
      }
      self.hasEnded = true
    }
    #expect(await eventually { self.answers.count >= 2 || self.hasEnded })
  }

  func entry(
    _ path: String, item: UInt32 = 0, size: UInt64 = 0, folder: Bool = false, modified: UInt64 = 1
  ) throws(WireError) {
    try receiver.handle(
      .entry(
        Entry(
          stream: 7, item: item, kind: folder ? .folder : .file, executable: false, modified: modified,
          size: size,
          path: path)))
  }

  func chunk(_ bytes: [UInt8]) throws(WireError) { try receiver.take(chunk: bytes.raw) }

  func end(_ size: UInt64, digest: FixedBytes<32>? = nil) throws(WireError) {
    try receiver.handle(.end(End(stream: 7, size: size, digest: digest)))
  }

  func file(_ path: String, item: UInt32 = 0, _ bytes: [UInt8] = []) throws(WireError) {
    try entry(path, item: item, size: UInt64(bytes.count))
    if !bytes.isEmpty { try chunk(bytes) }
    try end(UInt64(bytes.count))
  }

  /// Waits for the receiver's end; what it told the sender.
  func cancelled() async -> Cancel.Reason? {
    #expect(await eventually { self.hasEnded })
    #expect(await eventually { self.back.isIdle })
    for case .cancel(let cancel) in answers { return cancel.reason }
    return nil
  }

  var left: [String] { listing(folder.file("downloads/mallory")) }
}
