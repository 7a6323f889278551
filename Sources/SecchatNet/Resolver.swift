import CUV
import Glibc

/// Names to addresses, through the system's resolver on libuv's thread pool.
@LoopActor package enum Resolver {
  /// The addresses of `host`, in the system's order of preference; never empty.
  package static func resolve(
    host: String, port: UInt16, deadline: Instant
  ) async throws(NetError) -> [SocketAddress] {
    if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
    guard (1...Limits.hostNameLength).contains(host.utf8.count), !host.utf8.contains(0) else {
      throw .unresolvable
    }
    let answer = OneShot<[SocketAddress]>()
    start(host, answer)
    let addresses = try await answer.wait(deadline: deadline)
    return addresses.map { $0.with(port: port) }
  }

  private static func start(_ host: String, _ answer: OneShot<[SocketAddress]>) {
    let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
    unsafe request.initialize(to: uv_getaddrinfo_t())
    unsafe request.pointee.data = Unmanaged.passRetained(answer).toOpaque()
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_protocol = Int32(IPPROTO_TCP)
    let status = unsafe uv_getaddrinfo(Loop.shared.uv, request, resolved, host, nil, &hints)
    if status != 0 { unsafe resolved(request, status, nil) }
  }
}

private let resolved:
  @convention(c) (UnsafeMutablePointer<uv_getaddrinfo_t>?, Int32, UnsafeMutablePointer<addrinfo>?) -> Void = {
    request, status, list in
    guard let request = unsafe request, let data = unsafe request.pointee.data else { return }
    unsafe request.deallocate()
    let answer = unsafe Unmanaged<OneShot<[SocketAddress]>>.fromOpaque(data).takeRetainedValue()
    var addresses: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let system = unsafe entry.pointee.ai_addr, let address = unsafe SocketAddress(system),
        !addresses.contains(address)
      {
        addresses.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    if let list = unsafe list { unsafe uv_freeaddrinfo(list) }
    let found = addresses
    LoopActor.onLoop {
      found.isEmpty ? answer.fail(.unresolvable) : answer.fulfil(found)
    }
  }
