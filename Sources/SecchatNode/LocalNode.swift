internal import Glibc
internal import SecchatCore
internal import SecchatCrypto
internal import SecchatNet

/// A node in this process, with its lock and its control socket.
@LoopActor final class LocalNode {
  let node: Node
  private let server: ControlServer
  private let lock: ProfileLock

  private init(_ node: Node, _ server: ControlServer, _ lock: consuming ProfileLock) {
    self.node = node
    self.server = server
    self.lock = lock
  }

  /// Opens the profile; nil where another process is its node.
  static func open(
    _ folder: ProfileFolder, _ identity: SecretIdentity, stays: Bool
  ) async throws(NodeError) -> LocalNode? {
    guard let lock = ProfileLock(folder) else { return nil }
    let node = try await Node.open(folder, identity: identity, stays: stays)
    let server: ControlServer
    do throws(NodeError) { server = try ControlServer(node) } catch {
      await node.close()
      throw error
    }
    return LocalNode(node, server, lock)
  }

  /// Waits for those who came over the control socket, then closes everything.
  func close(waitingForGuests: Bool) async {
    if waitingForGuests { await server.waitForGuests() }
    server.close()
    await node.close()
  }

  /// Goes online and stays until something ends it.
  func stay(
    _ options: NodeOptions, loggingIn: Bool, onEvent: @escaping @Sendable (Event) -> Void,
    isReady: @escaping @Sendable () -> Bool, ready: @escaping @Sendable () async -> Void
  ) async -> ExitStatus {
    node.isReady = isReady
    let subscription = node.subscribe(onEvent)
    defer { node.unsubscribe(subscription) }
    let formerListen = node.settings.listen
    do throws(NodeError) {
      try await node.save { settings in
        if loggingIn { settings.isLoggedOut = false }
        settings.listen = options.listen ?? settings.listen
        settings.files = options.files ?? settings.files
        settings.downloads = options.downloads ?? settings.downloads
        settings.strangers = options.strangers ?? settings.strangers
        settings.receipts = options.receipts ?? settings.receipts
      }
      // A shell may be opened to claim a name in it, which then goes online.
      if !loggingIn || node.settings.account != nil { try await node.goOnline() }
    } catch {
      // An address that cannot be listened on is not kept for the next time.
      if options.listen != nil { try? await node.save { $0.listen = formerListen } }
      onEvent(.failure(error))
      return error.status
    }
    let node = node
    Loop.spawn { await node.sweepExpired() }
    // A node that was killed has left its log.
    node.tidySoon()
    node.lookAfterDaily()
    // Nobody has to wait for it.
    Loop.spawn { await node.sweepDownloads() }
    node.wakeTransfers()
    let signals = Loop.spawn {
      for await _ in Loop.signals(SIGTERM, SIGINT, SIGHUP) { node.ending.fulfil(.done) }
    }
    defer { signals.cancel() }
    Task { await ready() }
    return (try? await node.ending.wait()) ?? .internal
  }
}
