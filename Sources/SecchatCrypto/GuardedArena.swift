internal import CSodium

/// Long-term secrets in a few guarded, locked regions of `sodium_malloc`, in slots of one size.
///
/// One region for many secrets, because each `sodium_malloc` costs four memory maps and a process may have only
/// some 65,000 of them.
@safe final class GuardedArena: Sendable {
  static let shared = GuardedArena()

  /// The largest secret kept here: an Ed25519 secret key.
  static let slotSize = 64
  private static let slotsPerRegion = 256

  @unsafe private struct State {
    var free: [UnsafeMutableRawPointer] = unsafe []
  }

  private let state = unsafe Lock(State())

  /// A zeroed slot of `slotSize` bytes.
  func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
    precondition(count <= Self.slotSize, "too large for the guarded arena")
    return unsafe state.withLock { state in
      if unsafe state.free.isEmpty {
        guard let region = unsafe sodium_malloc(Self.slotSize * Self.slotsPerRegion) else {
          // Without memory for keys nothing sensible can go on.
          preconditionFailure("no guarded memory")
        }
        unsafe sodium_memzero(region, Self.slotSize * Self.slotsPerRegion)
        for slot in (0..<Self.slotsPerRegion).reversed() {
          unsafe state.free.append(region + slot * Self.slotSize)
        }
      }
      return unsafe UnsafeMutableRawBufferPointer(
        start: state.free.removeLast(), count: Self.slotSize)
    }
  }

  /// Takes a wiped slot back.
  func deallocate(_ slot: UnsafeMutableRawBufferPointer) {
    unsafe state.withLock { state in
      unsafe state.free.append(slot.baseAddress.unsafelyUnwrapped)
    }
  }
}
