import CUV

/// One libuv loop on a thread of its own, started at first use; the executor of `LoopActor` and of the tasks
/// that prefer it.
///
/// A turn of the loop: timers and closed handles, then the jobs they made ready, then the sockets, then the jobs
/// *those* made ready; after each lot of jobs the corked output of the turn is sent.
@safe package final class Loop: SerialExecutor, TaskExecutor, @unchecked Sendable {
  package static let shared = Loop()

  let uv: UnsafeMutablePointer<uv_loop_t>
  private let wake = unsafe Handle<uv_async_t>()
  private let before = unsafe Handle<uv_prepare_t>()
  private let after = unsafe Handle<uv_check_t>()
  private let spin = unsafe Handle<uv_idle_t>()
  private let lock = UnsafeMutablePointer<uv_mutex_t>.allocate(capacity: 1)
  private var thread = uv_thread_t()

  // Under the lock: jobs from other threads.
  private var arrived: ContiguousArray<UnownedJob> = []

  // On the loop's thread only.
  private var ready: ContiguousArray<UnownedJob> = []
  private var running: ContiguousArray<UnownedJob> = []
  private var corked: ContiguousArray<ByteStream> = []

  /// Counts the turns, to tell what happened in this one.
  private(set) var turn: UInt64 = 0

  private init() {
    // A write to a peer that has gone is an error of that stream, not the end of the process.
    ignoreBrokenPipes()
    unsafe uv = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    unsafe uv_mutex_init(lock)
    let started =
      unsafe uv_loop_init(uv) == 0
      && uv_async_init(uv, wake.pointer, { unsafe Loop.of($0?.pointee.data)?.collect() }) == 0
    precondition(started, "no descriptors left for the event loop")
    unsafe uv_prepare_init(uv, before.pointer)
    unsafe uv_check_init(uv, after.pointer)
    unsafe uv_idle_init(uv, spin.pointer)
    unsafe wake.retain(self)
    unsafe before.retain(self)
    unsafe after.retain(self)
    unsafe uv_prepare_start(before.pointer) { unsafe Loop.of($0?.pointee.data)?.beforePoll() }
    unsafe uv_check_start(after.pointer) { unsafe Loop.of($0?.pointee.data)?.afterPoll() }

    // The lock keeps the new thread from asking who it is before its identity has been noted.
    unsafe uv_mutex_lock(lock)
    let created = unsafe uv_thread_create(
      &thread, { argument in unsafe Loop.of(argument)?.run() }, Unmanaged.passUnretained(self).toOpaque())
    unsafe uv_mutex_unlock(lock)
    precondition(created == 0, "no thread left for the event loop")
  }

  private static func of(_ data: UnsafeMutableRawPointer?) -> Loop? {
    unsafe Handle<uv_async_t>.owner(data, as: Loop.self)
  }

  private func run() {
    unsafe uv_mutex_lock(lock)
    unsafe uv_mutex_unlock(lock)
    unsafe uv_run(uv, UV_RUN_DEFAULT)
  }

  /// Whether the caller runs on the loop's thread.
  package var isCurrent: Bool {
    var me = uv_thread_self()
    return unsafe uv_thread_equal(&me, &thread) != 0
  }

  /// The monotonic clock.
  package static var now: Instant { .now }

  // MARK: Executor

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent {
      ready.append(job)
      return
    }
    unsafe uv_mutex_lock(lock)
    let first = arrived.isEmpty
    arrived.append(job)
    unsafe uv_mutex_unlock(lock)
    if first { unsafe uv_async_send(wake.pointer) }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }

  package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    unsafe UnownedTaskExecutor(ordinary: self)
  }

  package func isIsolatingCurrentContext() -> Bool? { isCurrent }

  package func checkIsolated() { precondition(isCurrent, "not on the loop's thread") }

  // MARK: A turn

  private func collect() {
    unsafe uv_mutex_lock(lock)
    if ready.isEmpty {
      swap(&ready, &arrived)
    } else {
      ready.append(contentsOf: arrived)
      arrived.removeAll(keepingCapacity: true)
    }
    unsafe uv_mutex_unlock(lock)
  }

  private func beforePoll() {
    turn &+= 1
    runJobs()
    // With jobs left over, the poll must not block.
    if ready.isEmpty {
      unsafe uv_idle_stop(spin.pointer)
    } else {
      unsafe uv_idle_start(spin.pointer) { _ in }
    }
  }

  private func afterPoll() { runJobs() }

  private func runJobs() {
    let serial = unsafe asUnownedSerialExecutor()
    let tasks = unsafe asUnownedTaskExecutor()
    var rounds = 0
    while !ready.isEmpty, rounds < Limits.roundsPerTurn {
      swap(&ready, &running)
      for index in running.indices {
        unsafe running[index].runSynchronously(isolatedTo: serial, taskExecutor: tasks)
      }
      running.removeAll(keepingCapacity: true)
      rounds += 1
    }
    if !corked.isEmpty { LoopActor.onLoop { flushCorked() } }
  }

  // MARK: Corked output

  @LoopActor func flushAtEndOfTurn(_ stream: ByteStream) { corked.append(stream) }

  @LoopActor private func flushCorked() {
    var streams: ContiguousArray<ByteStream> = []
    swap(&streams, &corked)
    for stream in streams { stream.flush() }
    if corked.isEmpty {
      streams.removeAll(keepingCapacity: true)
      swap(&streams, &corked)
    }
  }
}

extension Loop {
  /// A task on the loop, isolated to it.
  @discardableResult
  package static func spawn(_ body: @LoopActor @Sendable @escaping () async -> Void) -> Task<Void, Never> {
    Task(executorPreference: Loop.shared, operation: body)
  }
}
