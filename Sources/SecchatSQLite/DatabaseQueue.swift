/// A database on a thread of its own. Work runs in the order of the calls; the caller waits without holding its own
/// thread.
///
/// Writes that wait together are committed together: a hundred at once cost one flush to the disk, and each still
/// returns only when it is durable.
package final class DatabaseQueue: Sendable {
  private let worker: DatabaseWorker

  /// Opens the database; `prepare` makes or checks its schema before anything else runs.
  package init(
    path: String, options: Database.Options = Database.Options(),
    prepare: (Database) throws(SQLiteError) -> Void = { _ in }
  ) throws(SQLiteError) {
    let database = try Database(path: path, options: options)
    try prepare(database)
    worker = try DatabaseWorker(database)
  }

  deinit { worker.stop {} }

  /// Runs `body` outside any transaction.
  package func read<R: Sendable>(
    _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R
  ) async throws(SQLiteError) -> R {
    try await submit(writes: false, body)
  }

  /// Runs `body` in a transaction: all of it or nothing. Durable when this returns. It may run twice, where the
  /// transaction it shared with others was lost; so it does nothing but use the database.
  package func write<R: Sendable>(
    _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R
  ) async throws(SQLiteError) -> R {
    try await submit(writes: true, body)
  }

  /// The same for callers that go on meanwhile: `then` hears of it on the database's thread, in the order of the calls.
  package func write<R: Sendable>(
    _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R,
    then: @escaping @Sendable (Result<R, SQLiteError>) -> Void
  ) {
    worker.enqueue(DatabaseJob(writes: true, body: body, answer: then))
  }

  /// Finishes what was asked before, then closes the file. What is asked afterwards fails with `.cannotOpen`.
  package func close() async {
    await withCheckedContinuation { continuation in worker.stop { continuation.resume() } }
  }

  private func submit<R: Sendable>(
    writes: Bool, _ body: @escaping @Sendable (Database) throws(SQLiteError) -> R
  ) async throws(SQLiteError) -> R {
    let result: Result<R, SQLiteError> = await withCheckedContinuation { continuation in
      worker.enqueue(DatabaseJob(writes: writes, body: body) { continuation.resume(returning: $0) })
    }
    return try result.get()
  }
}

/// One piece of work: run on the database's thread, answered once its transaction is committed.
struct DatabaseJob: Sendable {
  let writes: Bool
  /// Runs it; the error, where it failed.
  let run: @Sendable (Database) -> SQLiteError?
  /// Answers it, with the error that the commit met.
  let finish: @Sendable (SQLiteError?) -> Void

  init<R: Sendable>(
    writes: Bool, body: @escaping @Sendable (Database) throws(SQLiteError) -> R,
    answer: @escaping @Sendable (Result<R, SQLiteError>) -> Void
  ) {
    let box = Outcome<R>()
    self.writes = writes
    run = { database in
      do throws(SQLiteError) {
        let value =
          try writes ? database.transaction { () throws(SQLiteError) in try body(database) } : body(database)
        box.result = .success(value)
        return nil
      } catch {
        box.result = .failure(error)
        return error
      }
    }
    finish = { error in
      switch box.result {
      case .failure(let own): answer(.failure(own))
      case .success(let value): answer(error.map { .failure($0) } ?? .success(value))
      case nil: answer(.failure(error ?? .cannotOpen))
      }
    }
  }

  /// Touched by the database's thread only.
  private final class Outcome<R: Sendable>: @unchecked Sendable {
    var result: Result<R, SQLiteError>?
  }
}
