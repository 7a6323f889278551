import CSystem

/// A connection, over TCP or a Unix socket, that carries bytes both ways.
///
/// Reading is pull: nothing is read that nobody waits for. Writing is corked: what is written goes out together
/// when the reader is about to wait, at the end of the loop's turn, or on `flush`.
/// To end an operation that waits, `close` the stream or give the operation a deadline; cancelling its task does
/// not.
/// A stream that is let go without `close` is closed.
@LoopActor package final class ByteStream: Expirable {
  private let handle: StreamHandle

  /// The peer; nil for a Unix socket.
  package let remoteAddress: SocketAddress?

  private var input: InputBuffer
  private var output = OutputBuffer()

  private var reader: Reader?
  private var needed = 0
  private var readerDue: Instant?
  /// The turn in which the reader was last woken.
  private var wokenTurn: UInt64 = 0
  /// Operations that did not have to wait, in a row.
  private var streak = 0
  private var drainers: [(below: Int, due: Instant?, waiter: Waiter<Void>)] = []

  /// Why nothing more comes in, or goes out.
  private var inputEnd: NetError?
  private var outputEnd: NetError?

  private var entry: DeadlineEntry?
  private var isClosed = false
  private var isListedForFlush = false

  /// Who waits for bytes.
  private enum Reader {
    case task(Waiter<Void>)
    case callback(@LoopActor (Result<Void, NetError>) -> Void)
  }

  init(_ handle: StreamHandle, remoteAddress: SocketAddress?, inputCapacity: Int) {
    self.handle = handle
    self.remoteAddress = remoteAddress
    input = InputBuffer(limit: inputCapacity)
    unsafe handle.owner = self
  }

  isolated deinit { close() }

  /// From now on what passes is zeroed once it is sent or consumed: for a stream that carries a secret in the clear.
  package func wipes() {
    input.isSecret = true
    output.isSecret = true
  }

  /// This side's address; nil for a Unix socket.
  package var localAddress: SocketAddress? { handle.localAddress }

  // MARK: Reading

  /// The number of bytes received and not yet consumed.
  package var buffered: Int { input.count }

  /// Waits until `n` bytes are buffered. Throws `.closed` when the peer has ended the stream before that,
  /// `.overflow` when `n` is more than the input buffer holds, `.timedOut` when `deadline` passes first; the
  /// stream remains usable then.
  package func fill(atLeast n: Int, deadline: Instant? = nil) async throws(NetError) {
    if input.count >= n {
      streak += 1
      if streak < Limits.fillsWithoutYield { return }
      streak = 0
      // Answers to what has been read so far: the peer need not wait for them until all has been.
      flush()
      await Task.yield()
      if input.count >= n { return }
    }
    streak = 0
    flush()
    guard n <= input.limit else { throw .overflow }
    try await Waiter.suspend { waiter in
      if input.count >= n { return waiter.resume(.success(())) }
      do throws(NetError) {
        try beginReading(n, deadline, .task(waiter))
      } catch {
        waiter.resume(.failure(error))
      }
    }
    // Between the bytes' arrival and this task's turn the stream may have been closed, and the bytes with it.
    if input.count < n { throw inputEnd ?? .closed }
  }

  /// Does what `fill` does without a task that waits, for streams that are idle most of the time: calls `body` once, when
  /// `n` bytes are there or will not come. Where that is known already, at once. The stream lives until then.
  package func whenFilled(
    atLeast n: Int, deadline: Instant? = nil, _ body: @escaping @LoopActor (Result<Void, NetError>) -> Void
  ) {
    flush()
    if input.count >= n { return body(.success(())) }
    guard n <= input.limit else { return body(.failure(.overflow)) }
    do throws(NetError) { try beginReading(n, deadline, .callback(body)) } catch { body(.failure(error)) }
  }

  private func beginReading(_ n: Int, _ deadline: Instant?, _ reader: Reader) throws(NetError) {
    if let inputEnd { throw inputEnd }
    precondition(self.reader == nil, "a stream has one reader")
    try arm(deadline)
    input.releaseIfEmpty()
    try handle.startReading()
    needed = n
    readerDue = deadline
    self.reader = reader
  }

  /// Works on the buffered bytes, in place.
  package func withBuffered<R: ~Copyable, E: Error>(
    _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    guard let (block, range) = input.lend() else {
      var none = MutableRawSpan()
      return try body(&none)
    }
    defer {
      input.giveBack(block)
      if isClosed { input.release() }
    }
    var span = unsafe MutableRawSpan(_unsafeBytes: block.bytes(range))
    return try body(&span)
  }

  /// Forgets the first `n` buffered bytes.
  package func consume(_ n: Int) {
    if isClosed { return }
    input.consume(n)
  }

  func spaceForInput() -> UnsafeMutableRawBufferPointer { unsafe input.space() }

  func didReceive(_ count: Int) {
    input.received(count)
    if reader == nil {
      // A reader woken in this turn will be back in a moment; otherwise nobody reads.
      if input.isFull || wokenTurn != Loop.shared.turn { handle.stopReading() }
    } else if input.count >= needed {
      wokenTurn = Loop.shared.turn
      if input.isFull { handle.stopReading() }
      wakeReader(.success(()))
    }
  }

  func didEndInput(_ error: NetError) {
    inputEnd = error
    if error != .closed { failOutput(error) }
    wakeReader(.failure(error))
  }

  private func wakeReader(_ result: Result<Void, NetError>) {
    let waiting = reader
    reader = nil
    switch waiting {
    case .task(let waiter): waiter.resume(result)
    case .callback(let body): body(result)
    case nil: break
    }
  }

  // MARK: Writing

  /// Bytes written that the system has not taken yet.
  package var backlog: Int { isClosed ? 0 : handle.backlog + output.count }

  /// Lets `body` write into `n` reserved bytes, `Limits.writeSize` at most; it returns how many it used. On a
  /// stream that has failed the bytes go nowhere; `drain` and `fill` tell. A sender that lets more than
  /// `Limits.backlog` bytes pile up, for want of `drain`, loses the stream with `.overflow`.
  package func write(reserving n: Int, _ body: (inout MutableRawSpan) -> Int) {
    precondition(n <= Limits.writeSize)
    if !output.hasRoom(for: n) { flush() }
    let block = output.lend(n)
    let start = output.count
    var span = unsafe MutableRawSpan(_unsafeBytes: block.bytes(start..<start + n))
    let used = body(&span)
    precondition(used >= 0 && used <= n)
    output.giveBack(block, used: used)
    if outputEnd != nil {
      output.discard()
    } else {
      didCork()
    }
  }

  package func write(_ bytes: RawSpan) {
    write(reserving: bytes.byteCount) { span in
      unsafe span.withUnsafeMutableBytes { target in
        unsafe bytes.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
      }
      return bytes.byteCount
    }
  }

  private func didCork() {
    if output.count >= Limits.flushThreshold { flush() }
    if backlog > Limits.backlog { return fail(.overflow) }
    if !isListedForFlush, !output.isEmpty {
      isListedForFlush = true
      Loop.shared.flushAtEndOfTurn(self)
    }
  }

  /// Starts sending what is corked.
  package func flush() {
    isListedForFlush = false
    // One lot at a time: what is written meanwhile goes out together after it.
    guard !output.isEmpty, outputEnd == nil, handle.backlog == 0 else { return }
    guard let (block, count) = output.take() else { return }
    do throws(NetError) {
      _ = try handle.send(block, count)
    } catch {
      failOutput(error)
    }
  }

  /// Sends what is above `mark` bytes and waits until no more than that wait to be sent. Throws `.timedOut` when `deadline`
  /// passes first; the stream remains usable then.
  package func drain(
    below mark: Int = Limits.lowWater, deadline: Instant? = nil
  ) async throws(NetError) {
    // A backlog within bounds stays corked: small frames go out together at the end of the turn.
    if backlog > mark { flush() }
    if let outputEnd { throw outputEnd }
    if backlog <= mark {
      streak += 1
      if streak < Limits.fillsWithoutYield { return }
      streak = 0
      await Task.yield()
      return
    }
    try await Waiter.suspend { waiter in
      do throws(NetError) {
        if let outputEnd { throw outputEnd }
        if backlog <= mark { return waiter.resume(.success(())) }
        try arm(deadline)
        drainers.append((mark, deadline, waiter))
      } catch {
        waiter.resume(.failure(error))
      }
    }
  }

  func didSend(_ error: NetError?) {
    if let error { return failOutput(error) }
    flush()
    guard !drainers.isEmpty else { return }
    let left = backlog
    drainers.removeAll { drainer in
      guard left <= drainer.below else { return false }
      drainer.waiter.resume(.success(()))
      return true
    }
  }

  private func failOutput(_ error: NetError) {
    guard outputEnd == nil else { return }
    outputEnd = error
    output.discard()
    wakeDrainers(.failure(error))
  }

  private func wakeDrainers(_ result: Result<Void, NetError>) {
    let waiting = drainers
    drainers = []
    for drainer in waiting { drainer.waiter.resume(result) }
  }

  // MARK: Deadlines

  private func arm(_ deadline: Instant?) throws(NetError) {
    guard let deadline else { return }
    guard deadline > .now else { throw .timedOut }
    schedule(deadline)
  }

  private func schedule(_ deadline: Instant) {
    let entry = self.entry ?? DeadlineEntry(owner: self)
    self.entry = entry
    entry.schedule(by: deadline)
  }

  func expired() {
    let now = Instant.now
    // The earliest deadline still ahead: the entry may have been left from an operation that has ended since.
    var next: Instant?
    if reader != nil, let due = readerDue {
      if due <= now { wakeReader(.failure(.timedOut)) } else { next = due }
    }
    drainers.removeAll { drainer in
      guard let due = drainer.due else { return false }
      if due <= now {
        drainer.waiter.resume(.failure(.timedOut))
        return true
      }
      next = min(next ?? due, due)
      return false
    }
    if let next { schedule(next) }
  }

  // MARK: Closing

  /// Ends the stream: what has been written is still sent, for a bounded time; operations that wait throw
  /// `.closed`.
  package func close() {
    guard !isClosed else { return }
    flush()
    let rest = outputEnd == nil ? output.take() : nil
    let broken = outputEnd != nil
    end(.closed)
    if broken { handle.close() } else { handle.finish(rest: rest) }
  }

  /// Ends the stream at once: what has not been sent is dropped, and the peer sees a reset.
  package func abort() { fail(.closed) }

  /// Waits until a closed stream has sent its rest, or has given that up, and its descriptor is gone. One task may wait.
  package func gone() async { _ = try? await handle.gone.wait() }

  private func fail(_ error: NetError) {
    guard !isClosed else { return }
    end(error)
    handle.reset()
  }

  private func end(_ error: NetError) {
    isClosed = true
    inputEnd = error
    outputEnd = error
    unsafe handle.owner = nil
    entry?.cancel()
    entry = nil
    input.release()
    output.discard()
    wakeReader(.failure(error))
    wakeDrainers(.failure(error))
  }

  // MARK: Unix sockets

  /// The user at the other end of a Unix socket; nil for any other stream.
  package var peerUserID: UInt32? {
    guard !isClosed, remoteAddress == nil, let descriptor = handle.descriptor else { return nil }
    let user = secchat_peer_uid(descriptor)
    return user == .max ? nil : user
  }
}
