internal import SecchatNet

/// An attempt to reach a peer, shared by all who want to reach it.
@LoopActor final class Dial {
  private var result: Result<PeerSession, NodeError>?
  private var task: Task<Void, Never>?
  /// Why the registry does not help, while the last known address is tried: who waits no longer is told this.
  var registrysWord: NodeError?

  init(_ attempt: @escaping @LoopActor () async throws(NodeError) -> PeerSession) {
    task = Loop.spawn {
      do throws(NodeError) { self.result = .success(try await attempt()) } catch {
        self.result = .failure(error)
      }
    }
  }

  /// How it ended; nil where it has not by the deadline: it goes on for those who wait longer.
  func value(by deadline: Instant? = nil) async -> Result<PeerSession, NodeError>? {
    let ended = OneShot<Void>()
    _ = Loop.spawn {
      await self.task?.value
      ended.fulfil(())
    }
    do throws(NetError) { try await ended.wait(deadline: deadline) } catch { return nil }
    return result ?? .failure(NodeError(.internal, "the attempt ended without a result"))
  }
}
