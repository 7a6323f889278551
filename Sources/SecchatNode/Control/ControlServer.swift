internal import Glibc
internal import SecchatCore
internal import SecchatNet

/// Lets other programs of the same user ask this profile's node: one request a connection.
@LoopActor final class ControlServer {
  private let listener: Listener
  private let node: Node
  private var guests = 0
  private var emptied: OneShot<Void>?
  private let patience: Int

  /// A guest that leaves more than this unread is dropped.
  private static let backlog = 64 << 20

  /// - Parameter patience: how long a guest may take to say what it wants (milliseconds).
  init(_ node: Node, patience: Int = 10_000) throws(NodeError) {
    self.node = node
    self.patience = patience
    let path = try ControlPath.path(for: node.folder)
    // The profile's lock is ours, so a socket that is there belongs to nobody.
    _ = unsafe unlink(path)
    do throws(NetError) {
      listener = try Listener(unixPath: path, inputCapacity: ControlFrame.limit + 4)
    } catch {
      throw NodeError(.internal, "the control socket \(path) cannot be opened: \(error)")
    }
    _ = Loop.spawn { await self.run() }
  }

  private func run() async {
    while true {
      guard let stream = try? await listener.accept() else { return }
      guard stream.peerUserID == geteuid() else {
        stream.abort()
        continue
      }
      guests += 1
      Loop.spawn {
        await self.serve(stream)
        self.release()
      }
    }
  }

  private func release() {
    guests -= 1
    if guests == 0 { emptied?.fulfil(()) }
  }

  /// Waits until no guest is being served but those who only listen.
  func waitForGuests() async {
    while guests > 0 {
      let slot = OneShot<Void>()
      emptied = slot
      _ = try? await slot.wait()
    }
  }

  func close() { listener.close() }

  private func serve(_ stream: ByteStream) async {
    defer { stream.close() }
    stream.wipes()
    let deadline = Instant.now + patience
    var frame = await ControlFrame.receive(from: stream, by: deadline)
    if case .passphrase(let passphrase) = frame {
      do throws(NodeError) {
        // As the key file is now: its passphrase may have been changed since this node started.
        _ = try await KeyStore.unlock(try KeyStore.load(node.folder), in: node.folder, passphrase: passphrase)
      } catch {
        ControlFrame.send(.failure(error), over: stream)
        return ControlFrame.send(error.status, over: stream)
      }
      frame = await ControlFrame.receive(from: stream, by: deadline)
    }
    guard case .request(let request) = frame else { return }
    // One who only listens keeps no passing node from ending.
    let listens = request == .subscribe
    if listens { release() }
    defer { if listens { guests += 1 } }
    let pipe = EventPipe(stream, limit: Self.backlog)
    // The guest says nothing more: an end of its stream means that it has gone, and its request with it.
    let node = node
    let work = Loop.spawn {
      let status = await node.perform(request, room: { await pipe.room() }) { event in
        // What fails because this node ends does not fail for the next one, which the guest asks then.
        if case .error = event, node.isClosing { return }
        pipe.send(event)
      }
      if status == .done || !node.isClosing { await pipe.finish(status) }
      stream.close()
    }
    while await ControlFrame.receive(from: stream) != nil {}
    work.cancel()
    await work.value
  }
}

/// What is on its way to a guest: a request may answer with more at once than a socket takes.
@LoopActor private final class EventPipe {
  private let stream: ByteStream
  private let limit: Int
  private var waiting: [Event] = []
  private var size = 0
  private var writer: Task<Void, Never>?
  /// The guest has gone, or was dropped.
  private var isBroken = false

  init(_ stream: ByteStream, limit: Int) {
    self.stream = stream
    self.limit = limit
  }

  func send(_ event: Event) {
    guard !isBroken else { return }
    waiting.append(event)
    // Roughly what it takes in memory; the text of a message is what can be large.
    if case .message(let message) = event { size += message.text.utf8.count }
    size += 512
    guard size <= limit else { return end() }
    writer = writer ?? Loop.spawn { await self.write() }
  }

  private func write() async {
    while !waiting.isEmpty {
      let batch = waiting
      waiting = []
      size = 0
      for event in batch {
        ControlFrame.send(event, over: stream)
        do throws(NetError) { try await stream.drain() } catch { return end() }
      }
    }
    writer = nil
  }

  private func end() {
    isBroken = true
    waiting = []
    stream.abort()
  }

  /// Waits until all that was sent has gone; false where nothing will go any more.
  func room() async -> Bool {
    await writer?.value
    return !isBroken
  }

  /// Ends with the status once everything before it has gone.
  func finish(_ status: ExitStatus) async {
    await writer?.value
    ControlFrame.send(status, over: stream)
  }
}
