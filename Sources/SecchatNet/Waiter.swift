/// A task that waits for the loop, to be resumed exactly once.
///
/// The unchecked continuation costs half of what the checked one does, on a path that every frame takes.
@safe @LoopActor struct Waiter<Value: Sendable> {
  private let continuation: UnsafeContinuation<Result<Value, NetError>, Never>

  /// Suspends the caller after `register` has put the waiter where somebody will resume it.
  /// `register` runs in one piece with what it checks: getting here may have taken a turn of the loop.
  static func suspend(_ register: (Waiter) -> Void) async throws(NetError) -> Value {
    let result = await unsafe withUnsafeContinuation { continuation in
      register(unsafe Waiter(continuation: continuation))
    }
    return try result.get()
  }

  func resume(_ result: Result<Value, NetError>) { unsafe continuation.resume(returning: result) }
}
