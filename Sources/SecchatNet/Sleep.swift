extension Loop {
  /// Suspends for `milliseconds`; throws at once when the task is cancelled.
  @LoopActor package static func sleep(for milliseconds: Int) async throws(CancellationError) {
    if Task.isCancelled { throw CancellationError() }
    let outcome = await OneShot<Never>().outcome(deadline: Loop.now + milliseconds)
    if outcome == .failure(.cancelled) { throw CancellationError() }
  }
}
