extension [UInt8] {
  /// The bytes, borrowed.
  package var raw: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let span = span
      return unsafe _overrideLifetime(span.bytes, borrowing: self)
    }
  }

  /// The bytes, for writing.
  package mutating func withMutableRaw<Result, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = mutableSpan
    var bytes = unsafe span.mutableBytes
    return try body(&bytes)
  }
}

extension RawSpan {
  /// The bytes, copied into an array.
  package var array: [UInt8] {
    unsafe withUnsafeBytes { source in unsafe [UInt8](source) }
  }
}

extension MutableRawSpan {
  /// Overwrites the bytes from `offset` on; the caller has checked that they fit.
  package mutating func copy(from source: RawSpan, at offset: Int = 0) {
    let room = byteCount - offset
    unsafe withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { source in
        precondition(offset >= 0 && source.count <= room, "no room for the bytes")
        guard source.count > 0 else { return }
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
      }
    }
  }
}

/// Calls `body` with the address of the bytes, as C takes them; never null, also for no bytes. The pointer ends with
/// the call.
@inline(__always)
func withPointer<Result>(
  _ span: RawSpan, _ body: (UnsafePointer<UInt8>, Int) -> Result
) -> Result {
  unsafe span.withUnsafeBytes { buffer in
    let start = unsafe buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
    return unsafe body(start.assumingMemoryBound(to: UInt8.self), buffer.count)
  }
}

/// The same for writing.
@inline(__always)
func withPointer<Result>(
  _ span: inout MutableRawSpan, _ body: (UnsafeMutablePointer<UInt8>, Int) -> Result
) -> Result {
  unsafe span.withUnsafeMutableBytes { buffer in
    let start = unsafe buffer.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 16).unsafelyUnwrapped
    return unsafe body(start.assumingMemoryBound(to: UInt8.self), buffer.count)
  }
}
