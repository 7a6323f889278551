internal import Glibc

/// The right to be a profile's one node. The system lets go of it when the process ends, however it ends: that is how a
/// stale control socket is told from a live one.
struct ProfileLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// - Returns: nil where another process has it. Never waits.
  init?(_ folder: ProfileFolder) {
    let descriptor = unsafe open(folder.lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
