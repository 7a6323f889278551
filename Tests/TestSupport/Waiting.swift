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

/// Waits until `condition` holds.
///
/// - Throws: `TookTooLong` with `what` at the deadline.
package func eventually(
  _ what: @autoclosure () -> String, within limit: Duration = patience,
  isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
  let _: Bool = try await eventually(what(), within: limit) { try await condition() ? true : nil }
}

/// Waits until `condition` holds; false if it does not in time, or if the test is cancelled.
package func eventually(
  isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let deadline = ContinuousClock.now + patience
  while try await !condition() {
    // Often, because some of what is waited for lasts for a moment only.
    guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(2))) != nil else {
      return false
    }
  }
  return true
}

/// The error that `body` ends with; nil if it ends without.
package func failure<Failure: Error>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Void
) async -> Failure? {
  do throws(Failure) {
    try await body()
    return nil
  } catch {
    return error
  }
}

/// The error that `value` cannot be had for; nil if it can.
package func refusal<Value: ~Copyable, Failure: Error>(of value: @autoclosure () throws(Failure) -> Value)
  -> Failure?
{
  do throws(Failure) {
    _ = try value()
    return nil
  } catch {
    return error
  }
}
