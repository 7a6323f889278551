import Foundation
import SecchatNet
import TestSupport
import Testing

@Suite struct ListenerTests {
  @Test @LoopActor func dualStack() async throws {
    let listener = try Listener(address: Pair.address("::"))
    let port = try #require(listener.address?.port)
    for host in ["127.0.0.1", "::1"] {
      let near = try await ByteStream.connect(host: host, port: port, timeout: 60_000)
      let far = try await listener.accept()
      #expect(far.remoteAddress?.host == host)
      #expect(far.remoteAddress == near.localAddress)
    }
  }

  @Test @LoopActor func onlyIPv4WhereAskedFor() async throws {
    let listener = try Listener(address: Pair.address("0.0.0.0"))
    let port = try #require(listener.address?.port)
    let near = try await ByteStream.connect(host: "127.0.0.1", port: port, timeout: 60_000)
    near.close()
    #expect(
      await failure { () throws(NetError) in
        _ = try await ByteStream.connect(host: "::1", port: port, timeout: 60_000)
      } == .refused)
  }

  @Test @LoopActor func addressInUse() async throws {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let target = try #require(listener.address)
    #expect(throws: NetError.addressInUse) { try Listener(address: target) }
  }

  @Test @LoopActor func unixSocketIsItsOwnersAlone() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("control")
    let listener = try Listener(unixPath: path)
    #expect(try permissions(of: path) == 0o600)
    let near = try await ByteStream.connect(unixPath: path)
    let far = try await listener.accept()
    #expect(near.peerUserID == getuid())
    #expect(far.peerUserID == getuid())
    #expect(near.remoteAddress == nil && far.remoteAddress == nil)
    let echo = Loop.spawn { await far.echo() }
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    near.write(bytes)
    #expect(try await near.read(bytes.count) == bytes)
    near.close()
    await echo.value

    #expect(throws: NetError.addressInUse) { try Listener(unixPath: path) }
    listener.close()
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(
      await failure { () throws(NetError) in _ = try await ByteStream.connect(unixPath: path) } == .notFound)
    #expect(throws: NetError.invalidAddress) {
      try Listener(unixPath: path + String(repeating: "x", count: 120))
    }
    #expect(
      await failure { () throws(NetError) in
        _ = try await ByteStream.connect(unixPath: path + String(repeating: "x", count: 120))
      } == .invalidAddress)
  }

  @Test @LoopActor func leavesAnothersSocketAlone() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("control")
    let first = try Listener(unixPath: path)
    try FileManager.default.moveItem(atPath: path, toPath: path + "-moved")
    let second = try Listener(unixPath: path)
    first.close()
    #expect(FileManager.default.fileExists(atPath: path))
    second.close()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  /// In a process of its own: the limit would hit whatever else runs in this one.
  @Test func outlivesWantOfDescriptors() async throws {
    await #expect(processExitsWith: .success) {
      let error = await starve()
      exit(error == nil ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }
}

/// Takes every descriptor, lets a connection wait without one, gives them back: it must then be accepted.
@LoopActor private func starve() async -> (any Error)? {
  do {
    let listener = try Listener(address: Pair.address("127.0.0.1"))
    let target = try #require(listener.address)
    let first = try await ByteStream.connect(to: target, timeout: 60_000)
    _ = try await listener.accept()
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = 200
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var taken: [Int32] = []
    while case let descriptor = dup(0), descriptor >= 0 { taken.append(descriptor) }
    if let last = taken.popLast() { close(last) }
    // The last descriptor goes to the connecting side; the listener has none.
    let near = try await ByteStream.connect(to: target, timeout: 60_000)
    let cpu = clock()
    try await Loop.sleep(for: 500)
    guard Double(clock() - cpu) / Double(CLOCKS_PER_SEC) < 0.25 else { return NetError.overflow }
    for descriptor in taken { close(descriptor) }
    near.write([1])
    let far = try await listener.accept()
    guard try await far.read(1) == [1] else { return NetError.reset }
    first.close()
    return nil
  } catch {
    return error
  }
}
