extension ByteStream {
  /// Connects to `address` within `timeout` milliseconds.
  package static func connect(
    to address: SocketAddress, timeout: Int, inputCapacity: Int = Limits.inputCapacity
  ) async throws(NetError) -> ByteStream {
    let handle = try await StreamHandle.connect(to: address, deadline: .now + timeout)
    return ByteStream(handle, remoteAddress: address, inputCapacity: inputCapacity)
  }

  /// Resolves `host` and tries its addresses in turn, all within `timeout` milliseconds.
  package static func connect(
    host: String, port: UInt16, timeout: Int, inputCapacity: Int = Limits.inputCapacity
  ) async throws(NetError) -> ByteStream {
    let deadline = Instant.now + timeout
    var addresses = try await Resolver.resolve(host: host, port: port, deadline: deadline)[...]
    var last = NetError.unresolvable
    while let address = addresses.popFirst() {
      let left = deadline - .now
      guard left > 0 else { throw .timedOut }
      let share = max(left / (addresses.count + 1), Limits.connectShareMilliseconds)
      do throws(NetError) {
        return try await connect(to: address, timeout: min(left, share), inputCapacity: inputCapacity)
      } catch .cancelled {
        throw .cancelled
      } catch {
        last = error
      }
    }
    throw last
  }

  /// Connects to the Unix socket at `path`.
  package static func connect(
    unixPath path: String, timeout: Int = 5_000, inputCapacity: Int = Limits.inputCapacity
  ) async throws(NetError) -> ByteStream {
    let handle = try await StreamHandle.connect(unixPath: path, deadline: .now + timeout)
    return ByteStream(handle, remoteAddress: nil, inputCapacity: inputCapacity)
  }
}
