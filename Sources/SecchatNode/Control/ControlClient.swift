internal import Glibc
internal import SecchatNet

/// Asks the node of a profile that runs in another process.
struct ControlClient: Sendable {
  let path: String

  /// What the node at the path says of itself; nil where none answers.
  @LoopActor func status() async -> Event.Status? {
    guard let stream = try? await connect() else { return nil }
    defer { stream.close() }
    do throws(NodeError) { try ControlFrame.send(Request.status, over: stream) } catch { return nil }
    guard case .event(.status(let status)) = await ControlFrame.receive(from: stream) else { return nil }
    return status
  }

  @LoopActor private func connect() async throws(NetError) -> ByteStream {
    let stream = try await ByteStream.connect(
      unixPath: path, timeout: 2_000, inputCapacity: ControlFrame.limit + 4)
    guard stream.peerUserID == geteuid() else {
      stream.abort()
      throw .permissionDenied
    }
    return stream
  }

  /// Asks, and passes the events on. Ends with the request, or, when the caller's task is cancelled, at once.
  ///
  /// - Returns: nil where the node ended before the request did.
  @LoopActor func perform(
    _ request: Request, passphrase: Passphrase? = nil, _ emit: @escaping @Sendable (Event) -> Void
  ) async -> ExitStatus? {
    guard let stream = try? await connect() else { return Task.isCancelled ? .done : nil }
    defer { stream.close() }
    return await withTaskCancellationHandler {
      if let passphrase { ControlFrame.send(passphrase, over: stream) }
      do throws(NodeError) { try ControlFrame.send(request, over: stream) } catch {
        emit(.failure(error))
        return error.status
      }
      while true {
        switch await ControlFrame.receive(from: stream) {
        case .event(let event): emit(event)
        case .end(let status): return status
        case .request, .passphrase, nil:
          return Task.isCancelled ? .done : nil
        }
      }
    } onCancel: {
      _ = Loop.spawn { stream.close() }
    }
  }
}
