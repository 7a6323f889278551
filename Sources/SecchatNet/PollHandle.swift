import CSystem
import CUV

/// Tells when a descriptor is readable, and closes the descriptor with itself.
@safe @LoopActor final class PollHandle {
  private let handle = unsafe Handle<uv_poll_t>()
  private let descriptor: Int32
  private var readable: (@LoopActor () -> Void)?

  /// Takes the descriptor over; it is closed if this fails.
  init(_ descriptor: Int32) throws(NetError) {
    self.descriptor = descriptor
    let status = unsafe uv_poll_init(Loop.shared.uv, handle.pointer, descriptor)
    guard status == 0 else {
      unsafe handle.free()
      secchat_close(descriptor)
      throw NetError(status: status)
    }
    unsafe handle.retain(self)
  }

  func start(_ readable: @escaping @LoopActor () -> Void) {
    guard self.readable == nil, unsafe !handle.isClosing else { return }
    self.readable = readable
    unsafe uv_poll_start(handle.pointer, Int32(UV_READABLE.rawValue)) { handle, _, _ in
      let poll = unsafe Handle<uv_poll_t>.owner(handle?.pointee.data, as: PollHandle.self)
      LoopActor.onLoop { poll?.readable?() }
    }
  }

  func stop() {
    guard readable != nil else { return }
    readable = nil
    unsafe uv_poll_stop(handle.pointer)
  }

  func close() {
    guard unsafe !handle.isClosing else { return }
    stop()
    unsafe handle.close()
    // uv_close has taken the descriptor out of the poll set already.
    secchat_close(descriptor)
  }
}
