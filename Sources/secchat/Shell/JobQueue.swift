import SecchatNode
import SecchatTerminal

/// Jobs one after another, so that messages keep their order; whoever types need not wait for long.
final class JobQueue: Sendable {
  typealias Job = Task<ExitStatus, Never>

  /// How long a prompt waits for the answer that will probably come.
  static let patience = Duration.milliseconds(300)

  private struct State {
    var last: Job?
    var running = 0
  }

  private let state = Locked(State())

  /// How many jobs are not done yet.
  var count: Int { state.withLock { $0.running } }

  /// Runs a job after those before it.
  func add(_ work: @escaping @Sendable () async -> ExitStatus) -> Job {
    state.withLock { state in
      let previous = state.last
      let job = Task.detached {
        _ = await previous?.value
        return await self.finish(work())
      }
      state.last = job
      state.running += 1
      return job
    }
  }

  /// Runs a job beside the others.
  func addBeside(_ work: @escaping @Sendable () async -> ExitStatus) {
    state.withLock { $0.running += 1 }
    Task.detached { self.finish(await work()) }
  }

  @discardableResult
  private func finish(_ status: ExitStatus) -> ExitStatus {
    state.withLock { $0.running -= 1 }
    return status
  }

  /// Waits for a job, but not for long.
  func waitBriefly(for job: Job) async {
    let (ends, continuation) = AsyncStream<Void>.makeStream()
    let finished = Task.detached {
      _ = await job.value
      continuation.yield()
    }
    let elapsed = Task.detached {
      try? await Task.sleep(for: Self.patience)
      continuation.yield()
    }
    for await _ in ends { break }
    finished.cancel()
    elapsed.cancel()
  }

  /// Waits for the jobs that run one after another.
  func drain() async { _ = await state.withLock { $0.last }?.value }
}
