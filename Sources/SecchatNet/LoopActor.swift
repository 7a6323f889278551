/// The isolation of everything that lives on the loop's thread.
@globalActor package actor LoopActor {
  package static let shared = LoopActor()

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe Loop.shared.asUnownedSerialExecutor()
  }

  /// Runs `body` as isolated to the loop; only for code that runs on its thread, such as libuv's callbacks.
  nonisolated static func onLoop<T>(_ body: @LoopActor () -> T) -> T {
    assert(Loop.shared.isCurrent)
    return withoutActuallyEscaping(body) { unsafe unsafeBitCast($0, to: (() -> T).self)() }
  }
}
