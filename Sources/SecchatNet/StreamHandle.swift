import CSystem
import CUV

/// A socket in libuv's hands: all of a stream that libuv points to.
///
/// libuv keeps it alive until its handle has been closed; the `ByteStream` in front of it may go earlier, and
/// what had been written then is still sent, for a bounded time.
@safe @LoopActor final class StreamHandle: Expirable {
  private enum Kind { case tcp, unix }

  /// The stream in front; it clears this before it goes.
  unowned(unsafe) var owner: ByteStream?

  private let kind: Kind
  /// A TCP handle where that is meant: a pipe's is the larger of the two.
  private let handle: Handle<uv_pipe_t>
  private var isReading = false
  private var discarded = 0
  private var sawEnd = false
  private var isSent = false
  private var linger: DeadlineEntry?
  /// Delivered when the descriptor is gone.
  let gone = OneShot<Bool>()

  private init(_ kind: Kind) throws(NetError) {
    self.kind = kind
    let handle = unsafe Handle<uv_pipe_t>()
    unsafe self.handle = handle
    let status =
      switch kind {
      case .tcp: unsafe uv_tcp_init(Loop.shared.uv, handle.cast(to: uv_tcp_t.self))
      case .unix: unsafe uv_pipe_init(Loop.shared.uv, handle.cast(to: uv_pipe_t.self), 0)
      }
    guard status == 0 else {
      unsafe handle.free()
      throw NetError(status: status)
    }
    unsafe handle.retain(self)
    if kind == .tcp { unsafe uv_tcp_nodelay(handle.cast(to: uv_tcp_t.self), 1) }
  }

  private var stream: UnsafeMutablePointer<uv_stream_t> { unsafe handle.cast(to: uv_stream_t.self) }
  private var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe handle.cast(to: uv_tcp_t.self) }
  private var pipe: UnsafeMutablePointer<uv_pipe_t> { unsafe handle.cast(to: uv_pipe_t.self) }

  nonisolated fileprivate static func of(_ data: UnsafeMutableRawPointer?) -> StreamHandle? {
    unsafe Handle<uv_pipe_t>.owner(data, as: StreamHandle.self)
  }

  // MARK: Opening

  /// Takes over an accepted socket, which is closed if this fails.
  static func adopt(_ descriptor: Int32, isUnix: Bool) throws(NetError) -> StreamHandle {
    do throws(NetError) {
      let handle = try StreamHandle(isUnix ? .unix : .tcp)
      let status =
        unsafe isUnix
        ? uv_pipe_open(handle.pipe, descriptor) : uv_tcp_open(handle.tcp, descriptor)
      if status == 0 { return handle }
      handle.close()
      throw NetError(status: status)
    } catch {
      secchat_close(descriptor)
      throw error
    }
  }

  /// Connects to `address` by the deadline.
  static func connect(to address: SocketAddress, deadline: Instant) async throws(NetError) -> StreamHandle {
    let handle = try StreamHandle(.tcp)
    return try await unsafe handle.connecting(deadline: deadline) { request in
      unsafe address.withSystemAddress { system, _ in
        unsafe uv_tcp_connect(request, handle.tcp, system, connectDone)
      }
    }
  }

  static func connect(unixPath path: String, deadline: Instant) async throws(NetError) -> StreamHandle {
    // libuv would cut a longer path short in silence.
    guard path.utf8.count <= 107, !path.utf8.contains(0) else { throw .invalidAddress }
    let handle = try StreamHandle(.unix)
    return try await unsafe handle.connecting(deadline: deadline) { request in
      unsafe uv_pipe_connect(request, handle.pipe, path, connectDone)
      return 0
    }
  }

  private func connecting(
    deadline: Instant, _ start: (UnsafeMutablePointer<uv_connect_t>) -> Int32
  ) async throws(NetError) -> StreamHandle {
    let outcome = OneShot<Bool>()
    let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
    unsafe request.initialize(to: uv_connect_t())
    unsafe request.pointee.data = Unmanaged.passRetained(outcome).toOpaque()
    let status = unsafe start(request)
    if status != 0 { unsafe connectDone(request, status) }
    do throws(NetError) {
      _ = try await outcome.outcome(deadline: deadline).get()
    } catch {
      close()
      throw error
    }
    return self
  }

  // MARK: Facts

  var descriptor: Int32? {
    var descriptor: Int32 = -1
    let status = unsafe uv_fileno(handle.cast(to: uv_handle_t.self), &descriptor)
    return status == 0 ? descriptor : nil
  }

  var localAddress: SocketAddress? { kind == .tcp ? unsafe address(uv_tcp_getsockname) : nil }

  private func address(
    _ ask: (UnsafePointer<uv_tcp_t>?, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<Int32>?) -> Int32
  ) -> SocketAddress? {
    guard unsafe !handle.isClosing else { return nil }
    return unsafe withUnsafeTemporaryAllocation(of: sockaddr_storage.self, capacity: 1) { storage in
      let base = unsafe UnsafeMutableRawPointer(storage.baseAddress.unsafelyUnwrapped)
      let address = unsafe base.assumingMemoryBound(to: sockaddr.self)
      var length = Int32(MemoryLayout<sockaddr_storage>.size)
      guard unsafe ask(tcp, address, &length) == 0 else { return nil }
      return unsafe SocketAddress(address)
    }
  }

  // MARK: Reading

  func startReading() throws(NetError) {
    guard !isReading else { return }
    let status = unsafe uv_read_start(stream, provideSpace, readDone)
    guard status == 0 else { throw NetError(status: status) }
    isReading = true
  }

  func stopReading() {
    guard isReading else { return }
    isReading = false
    unsafe uv_read_stop(stream)
  }

  fileprivate func space() -> UnsafeMutableRawBufferPointer {
    if let owner = unsafe owner { return unsafe owner.spaceForInput() }
    return unsafe Trash.shared.bytes
  }

  fileprivate func didRead(_ count: Int) {
    if count == 0 { return }
    if count == Int(UV_ENOBUFS.rawValue) {
      stopReading()
      return
    }
    if count < 0 {
      stopReading()
      sawEnd = true
      let error = NetError(status: Int32(count))
      if let owner = unsafe owner {
        owner.didEndInput(error)
      } else if isSent || error != .closed {
        close()
      }
      return
    }
    if let owner = unsafe owner {
      owner.didReceive(count)
      return
    }
    discarded += count
    if discarded > Limits.lingerBytes { stopReading() }
    if discarded > Limits.lingerBytes, isSent { close() }
  }

  // MARK: Writing

  /// Bytes that libuv holds until the socket takes them.
  var backlog: Int { unsafe uv_stream_get_write_queue_size(stream) }

  /// Sends the first `count` bytes of `block`, at once as far as the socket takes them, the rest when it does.
  /// Takes the block over. Returns whether all of it has gone.
  func send(_ block: Block, _ count: Int) throws(NetError) -> Bool {
    var buffer = unsafe uv_buf_init(block.base.assumingMemoryBound(to: CChar.self), UInt32(count))
    let sent = unsafe uv_try_write(stream, &buffer, 1)
    if sent == count {
      BlockPool.shared.put(block)
      return true
    }
    guard sent >= 0 || sent == UV_EAGAIN.rawValue else {
      BlockPool.shared.put(block)
      throw NetError(status: sent)
    }
    try queue(block, max(0, Int(sent))..<count)
    return false
  }

  /// Leaves the bytes to libuv behind what it still holds.
  func queue(_ block: Block, _ range: Range<Int>) throws(NetError) {
    let request = WriteRequest(handle: self, block: block)
    let bytes = unsafe block.bytes(range)
    var buffer = unsafe uv_buf_init(
      bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
    let status = unsafe uv_write(request.begin(), stream, &buffer, 1) { request, status in
      guard let done = unsafe WriteRequest.end(request) else { return }
      LoopActor.onLoop { done.handle.didWrite(done.block, status) }
    }
    guard status == 0 else {
      request.abandon()
      throw NetError(status: status)
    }
  }

  private func didWrite(_ block: Block, _ status: Int32) {
    BlockPool.shared.put(block)
    if let owner = unsafe owner {
      owner.didSend(status == 0 ? nil : NetError(status: status))
    }
  }

  // MARK: Closing

  /// Sends what is left, says that there is no more, and closes once the peer has done the same or the time
  /// for it has run out.
  func finish(rest: (Block, Int)?) {
    unsafe owner = nil
    guard unsafe !handle.isClosing else { return }
    if let (block, count) = rest {
      do throws(NetError) { try queue(block, 0..<count) } catch { return close() }
    }
    let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
    unsafe request.initialize(to: uv_shutdown_t())
    let status = unsafe uv_shutdown(request, stream) { request, status in
      guard let request = unsafe request else { return }
      let stream = unsafe StreamHandle.of(request.pointee.handle?.pointee.data)
      unsafe request.deallocate()
      LoopActor.onLoop { stream?.didShutDown(status) }
    }
    guard status == 0 else {
      unsafe request.deallocate()
      return close()
    }
    let entry = DeadlineEntry(owner: self)
    entry.schedule(by: .now + Limits.lingerMilliseconds)
    linger = entry
    // Unread input would make the system reset the connection and take the last bytes sent with it.
    guard !sawEnd else { return }
    do throws(NetError) { try startReading() } catch { close() }
  }

  private func didShutDown(_ status: Int32) {
    isSent = true
    if status != 0 || sawEnd || discarded > Limits.lingerBytes { close() }
  }

  func expired() { close() }

  /// Closes at once; what has not been sent is dropped.
  func close() {
    unsafe owner = nil
    linger?.cancel()
    linger = nil
    isReading = false
    unsafe handle.close(streamClosed)
  }

  /// Closes at once with a reset, so that the peer sees a break and not an end.
  func reset() {
    unsafe owner = nil
    guard unsafe !handle.isClosing else { return }
    if kind == .tcp, unsafe uv_tcp_close_reset(tcp, streamClosed) == 0 {
      linger?.cancel()
      linger = nil
      return
    }
    close()
  }
}

/// Where what nobody wants any more is read to.
@LoopActor private final class Trash {
  static let shared = Trash()
  private let block = BlockPool.shared.take(holding: 64 << 10)
  var bytes: UnsafeMutableRawBufferPointer { unsafe block.bytes(0..<block.capacity) }
}

/// A write that the socket did not take at once: it and its bytes outlive the call.
@safe private final class WriteRequest {
  let handle: StreamHandle
  let block: Block
  private let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)

  init(handle: StreamHandle, block: Block) {
    self.handle = handle
    self.block = block
    unsafe request.initialize(to: uv_write_t())
  }

  deinit { unsafe request.deallocate() }

  func begin() -> UnsafeMutablePointer<uv_write_t> {
    unsafe request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    return unsafe request
  }

  func abandon() { unsafe Unmanaged.passUnretained(self).release() }

  static func end(_ request: UnsafeMutablePointer<uv_write_t>?) -> WriteRequest? {
    guard let data = unsafe request?.pointee.data else { return nil }
    return unsafe Unmanaged<WriteRequest>.fromOpaque(data).takeRetainedValue()
  }
}

// Callbacks stand outside the class: a closure formed inside would check its thread at every call.
private let provideSpace:
  @convention(c) (UnsafeMutablePointer<uv_handle_t>?, Int, UnsafeMutablePointer<uv_buf_t>?) -> Void = {
    handle, _, buffer in
    guard let buffer = unsafe buffer, let stream = unsafe StreamHandle.of(handle?.pointee.data) else {
      return
    }
    nonisolated(unsafe) let result = unsafe buffer
    LoopActor.onLoop {
      let space = unsafe stream.space()
      unsafe result.pointee.base = space.baseAddress?.assumingMemoryBound(to: CChar.self)
      unsafe result.pointee.len = space.count
    }
  }

private let readDone:
  @convention(c) (UnsafeMutablePointer<uv_stream_t>?, Int, UnsafePointer<uv_buf_t>?) -> Void = {
    handle, count, _ in
    let stream = unsafe StreamHandle.of(handle?.pointee.data)
    LoopActor.onLoop { stream?.didRead(count) }
  }

private let streamClosed: @convention(c) (UnsafeMutablePointer<uv_handle_t>?) -> Void = { handle in
  let stream = unsafe StreamHandle.of(handle?.pointee.data)
  LoopActor.onLoop { stream?.gone.fulfil(true) }
  unsafe handleClosed(handle)
}

private let connectDone: @convention(c) (UnsafeMutablePointer<uv_connect_t>?, Int32) -> Void = {
  request, status in
  guard let request = unsafe request, let data = unsafe request.pointee.data else { return }
  unsafe request.deallocate()
  let outcome = unsafe Unmanaged<OneShot<Bool>>.fromOpaque(data).takeRetainedValue()
  LoopActor.onLoop { status == 0 ? outcome.fulfil(true) : outcome.fail(NetError(status: status)) }
}
