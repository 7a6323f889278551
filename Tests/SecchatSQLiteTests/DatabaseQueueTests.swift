import Dispatch
import SecchatSQLite
import TestSupport
import Testing

@Suite struct DatabaseQueueTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("test.db")
  }

  private func open(_ options: Database.Options = .init()) throws -> DatabaseQueue {
    try DatabaseQueue(path: path, options: options) { (database) throws(SQLiteError) in
      try database.run("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, body BLOB) STRICT")
    }
  }

  private func count(_ queue: DatabaseQueue) async throws -> Int64? {
    try await queue.read { (database) throws(SQLiteError) in
      try database.first("SELECT count(*) FROM item") { (row: borrowing Row) throws(SQLiteError) in
        try row.integer(0)
      }
    }
  }

  @Test func manyWritersAtOnce() async throws {
    let queue = try open()
    let failed = await withTaskGroup(of: SQLiteError?.self) { group in
      for index in 0..<500 {
        group.addTask {
          // Each id is written twice: the second is refused, alone.
          await failure { () throws(SQLiteError) in
            try await queue.write { (database) throws(SQLiteError) in
              try database.run("INSERT INTO item (id) VALUES (?)", index / 2)
            }
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(failed.count { $0 == .constraint } == 250)
    #expect(failed.count { $0 == nil } == 250)
    #expect(try await count(queue) == 250)
    await queue.close()
    #expect(try await count(open()) == 250)
  }

  /// The commits in the write-ahead log: frames that say how large the database is then.
  private var commits: Int {
    get throws {
      let (header, frame) = (32, 24 + 4_096)
      let log = try folder.read("test.db-wal")
      return stride(from: header, to: log.count, by: frame).count { start in
        log[start + 4..<start + 8].contains { $0 != 0 }
      }
    }
  }

  @Test func whatWaitsTogetherIsCommittedTogether() async throws {
    let queue = try open()
    let before = try commits
    // The database's thread is kept busy until all of them wait.
    let (isBusy, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    async let busy: Void = queue.read { (_) throws(SQLiteError) in
      isBusy.signal()
      mayGoOn.wait()
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        isBusy.wait()
        continuation.resume()
      }
    }
    let (answers, answer) = AsyncStream.makeStream(of: SQLiteError?.self)
    for id in 0..<500 {
      queue.write { (database) throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (?)", id)
      } then: { result in
        if case .failure(let error) = result { answer.yield(error) } else { answer.yield(nil) }
      }
    }
    #expect(try commits == before)
    mayGoOn.signal()
    try await busy
    #expect(await answers.prefix(500).allSatisfy { $0 == nil })
    #expect(try (1...5).contains(commits - before))
    #expect(try await count(queue) == 500)
  }

  @Test func whatOneWriteDidBeforeItFailedIsUndone() async throws {
    let queue = try open()
    await #expect(throws: SQLiteError.constraint) {
      try await queue.write { (database) throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (1)")
        try database.run("INSERT INTO item (id) VALUES (1)")
      }
    }
    #expect(try await count(queue) == 0)
  }

  @Test func aWriteThatReturnedIsSeenByAnotherConnection() async throws {
    let queue = try open()
    for id in 0..<5 {
      try await queue.write { (database) throws(SQLiteError) in
        try database.run("INSERT INTO item (id) VALUES (?)", id)
      }
      let other = try Database(path: path, options: .init(readOnly: true))
      let seen = try other.first("SELECT max(id) FROM item") { (row: borrowing Row) throws(SQLiteError) in
        try row.integer(0)
      }
      #expect(seen == Int64(id))
    }
  }

  @Test func aFullDiskFailsWritesButLosesNoneThatReturned() async throws {
    let queue = try open(.init(maximumPages: 12))
    let results = await withTaskGroup(of: Result<Int64, SQLiteError>.self) { group in
      for id: Int64 in 0..<100 {
        group.addTask {
          do throws(SQLiteError) {
            try await queue.write { (database) throws(SQLiteError) in
              try database.run("INSERT INTO item VALUES (?, ?)", id, [UInt8](repeating: 1, count: 2_000))
            }
            return .success(id)
          } catch { return .failure(error) }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let returned = results.compactMap { try? $0.get() }
    #expect((1..<100).contains(returned.count))
    #expect(results.count { $0 == .failure(.full) } == 100 - returned.count)
    let kept = try await queue.read { (database) throws(SQLiteError) in
      try database.query("SELECT id FROM item ORDER BY id") { (row: borrowing Row) throws(SQLiteError) in
        try row.integer(0)
      }
    }
    #expect(kept == returned.sorted())
  }

  @Test func afterCloseNothingRuns() async throws {
    let queue = try open()
    await queue.close()
    await queue.close()
    await #expect(throws: SQLiteError.cannotOpen) { try await count(queue) }
    // The last connection folds the log into the file.
    #expect(throws: (any Error).self) { try folder.read("test.db-wal") }
  }

  @Test func prepareMayRefuseTheFile() {
    #expect(throws: SQLiteError.corrupt) {
      try DatabaseQueue(path: path) { (_) throws(SQLiteError) in throw .corrupt }
    }
  }
}
