internal import CSodium

/// libsodium, initialised once before its first use.
enum Sodium {
  /// Touched by every entry point of this target; the runtime runs the initialiser once, before any thread goes on.
  static let ready: Void = {
    // 1 means "already initialised". Without a random source nothing here may run.
    precondition(sodium_init() >= 0, "libsodium could not be initialised")
  }()
}
