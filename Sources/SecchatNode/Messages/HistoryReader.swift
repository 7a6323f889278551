internal import SecchatCore
internal import SecchatCrypto
internal import SecchatSQLite
internal import SecchatText

/// What is wanted of the past.
struct HistoryQuery: Sendable {
  /// The conversation that counts; nil for all.
  var conversation: Int64?
  /// Folded; nil for every message.
  var search: FoldedText?
  /// Unix milliseconds, by the sender's clock.
  var since: UInt64?
  /// The newest so many; nil for all.
  var limit: Int?
  /// Unix seconds: what has expired by then is not there.
  var now: UInt64

  fileprivate func takes(_ message: Message) -> Bool {
    guard case .text(let text) = message.body, since.map({ message.sent >= $0 }) ?? true else { return false }
    return search.map { FoldedText(text).contains($0) } ?? true
  }
}

/// Reads the past on a connection and a thread of its own: what comes meanwhile does not wait for it.
final class HistoryReader: Sendable {
  private let queue: DatabaseQueue

  /// Messages that are looked at before somebody else has a turn, and bytes of what is found in them.
  private static let page = 4_096
  private static let pageBytes = 4 << 20

  typealias Keys = [Int64: ConversationKey]

  struct Found: Sendable {
    let conversation: Int64
    let message: StoredMessage
  }

  init(_ folder: ProfileFolder) throws(NodeError) {
    do throws(SQLiteError) {
      queue = try DatabaseQueue(path: folder.databasePath, options: .init(readOnly: true))
    } catch { throw ProfileStore.error(error) }
  }

  /// Hands what was found to `take`, the oldest first, in parts, until it says that it wants no more.
  ///
  /// - Parameter keys: those of the conversations that count, as they are at the moment.
  func read(
    _ query: HistoryQuery, keys: () -> Keys, _ take: ([Found]) async -> Bool
  ) async throws(NodeError) {
    if let limit = query.limit {
      var found: [Found] = []
      var before = Int64.max
      while found.count < limit, let page = try await page(query, keys, .descending, from: before) {
        found += page.found.prefix(limit - found.count)
        before = page.last
      }
      _ = await take(found.reversed())
      return
    }
    var after: Int64 = 0
    while let page = try await page(query, keys, .ascending, from: after) {
      if !page.found.isEmpty {
        guard await take(page.found) else { return }
      }
      after = page.last
    }
  }

  private enum Direction: Sendable {
    case ascending
    case descending
  }

  /// The next rows; nil behind the last. Where a key has changed meanwhile, because a history was deleted, they are read
  /// again: what is left of that one is sealed under the new key.
  private func page(
    _ query: HistoryQuery, _ keys: () -> Keys, _ direction: Direction, from row: Int64
  ) async throws(NodeError) -> (found: [Found], last: Int64)? {
    while true {
      let known = keys()
      do throws(NodeError) {
        return try await page(query, known, direction, from: row)
      } catch {
        let current = keys()
        guard known.contains(where: { current[$0.key] !== $0.value }) else { throw error }
      }
    }
  }

  private func page(
    _ query: HistoryQuery, _ keys: Keys, _ direction: Direction, from row: Int64
  ) async throws(NodeError) -> (found: [Found], last: Int64)? {
    let now = Int64(clamping: query.now)
    let only = query.conversation
    do throws(SQLiteError) {
      return try await queue.read { (database) throws(SQLiteError) in
        var found: [Found] = []
        var last: Int64?
        var size = 0
        func visit(_ row: borrowing Row) throws(SQLiteError) -> Bool {
          let stored = try ProfileStore.MessageRow(row)
          last = stored.id
          guard let key = keys[stored.conversation] else { return true }
          guard let message = stored.open(key) else { throw .corrupt }
          if query.takes(message.message) {
            found.append(Found(conversation: stored.conversation, message: message))
            size += stored.body.count
          }
          return size < Self.pageBytes
        }
        switch (direction, only) {
        case (.ascending, let only?):
          try database.forEach(
            """
            SELECT id, conversation, state, body FROM messages WHERE conversation = ? AND id > ?
              AND body IS NOT NULL AND (expires IS NULL OR expires > ?) ORDER BY id LIMIT ?
            """, only, row, now, Self.page, row: visit)
        case (.descending, let only?):
          try database.forEach(
            """
            SELECT id, conversation, state, body FROM messages WHERE conversation = ? AND id < ?
              AND body IS NOT NULL AND (expires IS NULL OR expires > ?) ORDER BY id DESC LIMIT ?
            """, only, row, now, Self.page, row: visit)
        case (.ascending, nil):
          try database.forEach(
            """
            SELECT id, conversation, state, body FROM messages WHERE id > ?
              AND body IS NOT NULL AND (expires IS NULL OR expires > ?) ORDER BY id LIMIT ?
            """, row, now, Self.page, row: visit)
        case (.descending, nil):
          try database.forEach(
            """
            SELECT id, conversation, state, body FROM messages WHERE id < ?
              AND body IS NOT NULL AND (expires IS NULL OR expires > ?) ORDER BY id DESC LIMIT ?
            """, row, now, Self.page, row: visit)
        }
        return last.map { (found, $0) }
      }
    } catch { throw ProfileStore.error(error) }
  }

  func close() async { await queue.close() }
}
