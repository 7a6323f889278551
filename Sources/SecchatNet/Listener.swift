import CSystem
import CUV
import Glibc

/// A socket that takes connections, over TCP or a Unix socket.
///
/// It accepts by itself rather than through libuv's streams, which would try again without end while the process
/// has no descriptor left.
@LoopActor package final class Listener: Expirable {
  /// Where it listens, with the port that the system picked; nil for a Unix socket.
  package let address: SocketAddress?

  private let descriptor: Int32
  private let poll: PollHandle
  private let path: (name: String, device: UInt64, inode: UInt64)?
  private let inputCapacity: Int

  private var waiters: [Waiter<ByteStream>] = []
  private var accepted: ContiguousArray<ByteStream> = []
  private var pause: DeadlineEntry?
  private var isClosed = false

  /// Listens on `address`; port 0 picks one; `::` takes IPv4 too.
  package init(
    address: SocketAddress, backlog: Int32 = 1_024, inputCapacity: Int = Limits.inputCapacity
  ) throws(NetError) {
    var opened = unsafe address.withSystemAddress { unsafe secchat_listen_tcp($0, $1, backlog) }
    if opened == UV_EAFNOSUPPORT.rawValue, address.isIPv6, address.isUnspecified,
      let any = SocketAddress(host: "0.0.0.0", port: address.port)
    {
      opened = unsafe any.withSystemAddress { unsafe secchat_listen_tcp($0, $1, backlog) }
    }
    guard opened >= 0 else { throw NetError(status: opened) }
    descriptor = opened
    self.address = Listener.boundAddress(opened)
    path = nil
    self.inputCapacity = inputCapacity
    poll = try PollHandle(opened)
    start()
  }

  /// Listens on a Unix socket at `path`, which nobody but its owner may open and which `close` removes.
  package init(
    unixPath path: String, backlog: Int32 = 64, inputCapacity: Int = Limits.inputCapacity
  ) throws(NetError) {
    guard !path.utf8.contains(0) else { throw .invalidAddress }
    let opened = unsafe secchat_listen_unix(path, backlog)
    guard opened >= 0 else { throw NetError(status: opened) }
    var device: UInt64 = 0
    var inode: UInt64 = 0
    let known = unsafe secchat_file_identity(path, &device, &inode) == 0
    descriptor = opened
    address = nil
    self.path = known ? (path, device, inode) : nil
    self.inputCapacity = inputCapacity
    poll = try PollHandle(opened)
    start()
  }

  isolated deinit { close() }

  private static func boundAddress(_ descriptor: Int32) -> SocketAddress? {
    unsafe withUnsafeTemporaryAllocation(of: sockaddr_storage.self, capacity: 1) { storage in
      let base = unsafe UnsafeMutableRawPointer(storage.baseAddress.unsafelyUnwrapped)
      let address = unsafe base.assumingMemoryBound(to: sockaddr.self)
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
      return unsafe SocketAddress(address)
    }
  }

  // MARK: Accepting

  /// The next connection.
  package func accept() async throws(NetError) -> ByteStream {
    try await Waiter.suspend { waiter in
      if isClosed { return waiter.resume(.failure(.closed)) }
      guard !accepted.isEmpty else { return waiters.append(waiter) }
      waiter.resume(.success(accepted.removeFirst()))
      if pause == nil { start() }
    }
  }

  private func start() {
    guard !isClosed else { return }
    poll.start { [weak self] in self?.acceptSome() }
  }

  private func acceptSome() {
    for _ in 0..<Limits.acceptedAhead {
      guard accepted.count < Limits.acceptedAhead || !waiters.isEmpty else { return poll.stop() }
      do throws(NetError) {
        guard let stream = try acceptOne() else { return }
        deliver(stream)
      } catch .reset {
        // The peer of that one connection gave up before it was accepted.
      } catch {
        return rest()
      }
      if isClosed { return }
    }
  }

  private func acceptOne() throws(NetError) -> ByteStream? {
    var storage = sockaddr_storage()
    let socket = unsafe secchat_accept(descriptor, &storage)
    if socket == UV_EAGAIN.rawValue { return nil }
    guard socket >= 0 else { throw NetError(status: socket) }
    let handle = try StreamHandle.adopt(socket, isUnix: address == nil)
    let remote = unsafe withUnsafeBytes(of: &storage) { bytes in
      unsafe bytes.baseAddress.flatMap { unsafe SocketAddress($0.assumingMemoryBound(to: sockaddr.self)) }
    }
    return ByteStream(handle, remoteAddress: remote, inputCapacity: inputCapacity)
  }

  private func deliver(_ stream: ByteStream) {
    if waiters.isEmpty {
      accepted.append(stream)
    } else {
      waiters.removeFirst().resume(.success(stream))
    }
  }

  /// Without descriptors or memory, say, trying again at once would only spin.
  private func rest() {
    poll.stop()
    let entry = DeadlineEntry(owner: self)
    entry.schedule(by: .now + Limits.acceptPauseMilliseconds)
    pause = entry
  }

  func expired() {
    pause = nil
    start()
  }

  // MARK: Closing

  /// Stops listening. Connections accepted and not yet handed out are closed.
  package func close() {
    guard !isClosed else { return }
    isClosed = true
    pause?.cancel()
    pause = nil
    if let path {
      var device: UInt64 = 0
      var inode: UInt64 = 0
      // Another program may have put its own socket there since.
      if unsafe secchat_file_identity(path.name, &device, &inode) == 0, device == path.device,
        inode == path.inode
      {
        unsafe unlink(path.name)
      }
    }
    poll.close()
    for stream in accepted { stream.abort() }
    accepted = []
    let waiting = waiters
    waiters = []
    for waiter in waiting { waiter.resume(.failure(.closed)) }
  }
}
