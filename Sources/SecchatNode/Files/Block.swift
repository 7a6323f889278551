internal import SecchatCrypto

/// A piece of memory that goes between the loop and the thread that reads or writes. One side at a time touches it.
@safe final class Block: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  /// How much of it is filled.
  private(set) var count = 0

  init() {
    unsafe memory = .allocate(byteCount: FileLimits.block, alignment: 4_096)
  }

  deinit { unsafe memory.deallocate() }

  var room: Int { FileLimits.block - count }

  func clear() { count = 0 }

  /// Appends bytes that fit.
  func append(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= room, "no room for the bytes")
    unsafe bytes.withUnsafeBytes { source in
      guard source.count > 0 else { return }
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: source)
    }
    count += bytes.byteCount
  }

  /// Appends at most `limit` bytes of a file; fewer only where it ends.
  func append(from file: Descriptor, limit: Int) throws(SystemError) -> Int {
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + min(limit, room))])
    let read = unsafe try file.read(into: target)
    count += read
    return read
  }

  /// Writes a range of it to a file.
  func write(_ range: Range<Int>, to file: Descriptor) throws(SystemError) {
    unsafe try file.write(UnsafeRawBufferPointer(rebasing: memory[range]))
  }

  /// Copies a range of it.
  func copy(_ range: Range<Int>, into target: inout MutableRawSpan) {
    target.copy(from: unsafe UnsafeRawBufferPointer(rebasing: memory[range]).bytes)
  }

  /// Lends a range of it.
  func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
    body(unsafe UnsafeRawBufferPointer(rebasing: memory[range]).bytes)
  }
}
