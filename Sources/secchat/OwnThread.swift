import Glibc

/// Runs what may block, such as a question to a person, on a thread of its own.
func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    startThread { continuation.resume(returning: work()) }
  }
}

/// Starts a thread that nobody waits for. Where there can be none, the work is done here.
func startThread(_ work: @escaping @Sendable () -> Void) {
  let job = unsafe Unmanaged.passRetained(Job(work))
  var thread = pthread_t()
  let result = unsafe pthread_create(
    &thread, nil,
    { argument in
      guard let argument = unsafe argument else { return nil }
      unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
      return nil
    }, job.toOpaque())
  if result == 0 {
    pthread_detach(thread)
  } else {
    unsafe job.release()
    work()
  }
}

private final class Job: Sendable {
  let work: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}
