import CUV

/// A libuv handle on the heap.
///
/// It is freed in two phases: `close` tells libuv, and libuv's close callback, once nothing of the handle is
/// under way any more, frees the memory and lets go of the owner.
@unsafe struct Handle<Kind> {
  let pointer: UnsafeMutablePointer<Kind>

  init() {
    let bytes = MemoryLayout<Kind>.size
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    unsafe pointer = memory.assumingMemoryBound(to: Kind.self)
  }

  func cast<Other>(to other: Other.Type) -> UnsafeMutablePointer<Other> {
    unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: other)
  }

  private var base: UnsafeMutablePointer<uv_handle_t> { unsafe cast(to: uv_handle_t.self) }

  /// Keeps `owner` alive until the handle has been closed.
  func retain(_ owner: AnyObject) {
    unsafe base.pointee.data = Unmanaged.passRetained(owner).toOpaque()
  }

  /// The owner, in a callback of the handle.
  static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
    unsafe data.map { unsafe Unmanaged<Owner>.fromOpaque($0).takeUnretainedValue() }
  }

  var isClosing: Bool { unsafe uv_is_closing(base) != 0 }

  func close(_ done: uv_close_cb = unsafe handleClosed) {
    guard unsafe !isClosing else { return }
    unsafe uv_close(base, done)
  }

  /// For a handle that libuv refused to initialise.
  func free() { unsafe pointer.deallocate() }
}

let handleClosed: @convention(c) (UnsafeMutablePointer<uv_handle_t>?) -> Void = { handle in
  guard let handle = unsafe handle else { return }
  if let data = unsafe handle.pointee.data { unsafe Unmanaged<AnyObject>.fromOpaque(data).release() }
  unsafe UnsafeMutableRawPointer(handle).deallocate()
}
