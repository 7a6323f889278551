/// A value that one task waits for and another delivers, once: the answer to a request.
@LoopActor package final class OneShot<Value: Sendable>: Expirable {
  private var result: Result<Value, NetError>?
  private var waiter: Waiter<Value>?
  private var entry: DeadlineEntry?

  package init() {}

  isolated deinit { entry?.cancel() }

  /// The value once it is there. One task at a time may wait; at the deadline it gives up with `.timedOut`,
  /// and the value may still be delivered and waited for again.
  package func wait(deadline: Instant? = nil) async throws(NetError) -> Value {
    if let result { return try result.get() }
    return try await Waiter.suspend { waiter in
      if let result { return waiter.resume(result) }
      precondition(self.waiter == nil, "a OneShot has one waiter")
      if let deadline {
        guard deadline > .now else { return waiter.resume(.failure(.timedOut)) }
        let entry = DeadlineEntry(owner: self)
        entry.schedule(by: deadline)
        self.entry = entry
      }
      self.waiter = waiter
    }
  }

  /// What `wait` comes to; gives up with `.cancelled` when the task is cancelled.
  func outcome(deadline: Instant?) async -> Result<Value, NetError> {
    await withTaskCancellationHandler {
      do throws(NetError) {
        return .success(try await wait(deadline: deadline))
      } catch {
        return .failure(error)
      }
    } onCancel: {
      Loop.spawn { self.fail(.cancelled) }
    }
  }

  /// Delivers the value; only the first delivery counts.
  package func fulfil(_ value: Value) { deliver(.success(value)) }

  package func fail(_ error: NetError) { deliver(.failure(error)) }

  private func deliver(_ outcome: Result<Value, NetError>) {
    guard result == nil else { return }
    result = outcome
    resume(outcome)
  }

  private func resume(_ outcome: Result<Value, NetError>) {
    entry?.cancel()
    entry = nil
    let waiting = waiter
    waiter = nil
    waiting?.resume(outcome)
  }

  func expired() { resume(.failure(.timedOut)) }
}
