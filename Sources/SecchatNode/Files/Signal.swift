internal import SecchatNet

/// Wakes the one task that waits for something to change; it looks for itself whether that is what it waits for. A change
/// that nobody waits for yet is kept: between looking and waiting the loop may have taken a turn.
@LoopActor final class Signal {
  private var waiter: OneShot<Bool>?
  private var isRaised = false

  nonisolated init() {}

  /// Waits for `raise`; false at the deadline.
  func wait(until deadline: Instant? = nil) async -> Bool {
    if !isRaised {
      let waiter = OneShot<Bool>()
      self.waiter = waiter
      _ = try? await waiter.wait(deadline: deadline)
      self.waiter = nil
    }
    defer { isRaised = false }
    return isRaised
  }

  func raise() {
    isRaised = true
    waiter?.fulfil(true)
  }
}
