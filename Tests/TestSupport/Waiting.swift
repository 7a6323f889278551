/// What was waited for did not come.
package struct TookTooLong: Error, CustomStringConvertible {
  package let description: String

  package init(_ what: String) { description = what }
}

/// How long a test waits for what comes at once when all is well: a sanitizer on a busy machine is slow.
package let patience = Duration.seconds(60)

/// Waits until `find` finds something, and looks again every few milliseconds.
///
/// - Throws: `TookTooLong` with `what` at the deadline.
package func eventually<Found>(
  _ what: @autoclosure () -> String, within limit: Duration = patience,
  isolation: isolated (any Actor)? = #isolation, _ find: () async throws -> Found?
) async throws -> Found {
  let deadline = ContinuousClock.now + limit
  while true {
    if let found = try await find() { return found }
    guard ContinuousClock.now < deadline else { throw TookTooLong("\(what()), within \(limit)") }
    try await Task.sleep(for: .milliseconds(10))
  }
}

/// The same for a condition.
package func eventually(
  _ what: @autoclosure () -> String, within limit: Duration = patience,
  isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
  let _: Bool = try await eventually(what(), within: limit) { try await condition() ? true : nil }
}
