internal import Glibc

/// The thread of a `DatabaseQueue` and the list of what waits for it.
@safe final class DatabaseWorker: @unchecked Sendable {
  /// So many writes at most share a transaction, so that the first of them need not wait long.
  private static let batch = 512

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  // Under the mutex.
  private var waiting: [DatabaseJob] = []
  private var stopped: [@Sendable () -> Void] = []
  private var isStopping = false
  private var hasEnded = false

  // The thread's own, from its start.
  private var database: Database?

  init(_ database: Database) throws(SQLiteError) {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(wake, nil)
    self.database = database
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(self)
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<DatabaseWorker>.fromOpaque(argument).takeRetainedValue().loop()
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      unsafe argument.release()
      throw .other(status)
    }
    pthread_detach(thread)
  }

  deinit {
    unsafe pthread_cond_destroy(wake)
    unsafe pthread_mutex_destroy(mutex)
    unsafe wake.deallocate()
    unsafe mutex.deallocate()
  }

  private func locked<R>(_ body: () -> R) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return body()
  }

  func enqueue(_ job: DatabaseJob) {
    let accepted = locked {
      guard !isStopping else { return false }
      waiting.append(job)
      unsafe pthread_cond_signal(wake)
      return true
    }
    if !accepted { job.finish(nil) }
  }

  /// Calls `done` when everything before has run and the database is closed.
  func stop(_ done: @escaping @Sendable () -> Void) {
    let over = locked {
      isStopping = true
      if hasEnded { return true }
      stopped.append(done)
      unsafe pthread_cond_signal(wake)
      return false
    }
    if over { done() }
  }

  private func loop() {
    while let jobs = next() { run(jobs) }
    database = nil
    let callers = locked {
      hasEnded = true
      return stopped
    }
    for done in callers { done() }
  }

  /// Everything that waits; nil when there is nothing more to come.
  private func next() -> [DatabaseJob]? {
    locked {
      while waiting.isEmpty {
        if isStopping { return nil }
        unsafe pthread_cond_wait(wake, mutex)
      }
      defer { waiting = [] }
      return waiting
    }
  }

  private func run(_ jobs: [DatabaseJob]) {
    var index = 0
    while index < jobs.count {
      if jobs[index].writes {
        var end = index + 1
        while end < jobs.count, jobs[end].writes, end - index < Self.batch { end += 1 }
        write(jobs[index..<end])
        index = end
      } else {
        if let database { _ = jobs[index].run(database) }
        jobs[index].finish(nil)
        index += 1
      }
    }
  }

  /// One transaction for all; each is undone on its own when it fails.
  private func write(_ jobs: ArraySlice<DatabaseJob>) {
    guard let failure = commit(jobs) else {
      for job in jobs { job.finish(nil) }
      return
    }
    if jobs.count == 1 {
      for job in jobs { job.finish(failure) }
    } else {
      // What one of them did to the whole (a full disk) is not the others' fault: each again for itself.
      for index in jobs.indices { write(jobs[index...index]) }
    }
  }

  private func commit(_ jobs: ArraySlice<DatabaseJob>) -> SQLiteError? {
    guard let database else { return .cannotOpen }
    do throws(SQLiteError) {
      try database.transaction { () throws(SQLiteError) in
        for job in jobs {
          if let error = job.run(database), !database.isInTransaction { throw error }
        }
      }
      return nil
    } catch {
      return error
    }
  }
}
