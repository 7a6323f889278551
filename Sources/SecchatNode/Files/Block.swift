internal import SecchatCore
internal import SecchatCrypto

/// A piece of memory that goes between the loop and the thread that reads or writes. One side at a time touches it.
@safe final class Block: @unchecked Sendable {
  /// A page before the data, so that the data begins on one and a CHUNK's header fits before it.
  private static let margin = 4_096

  private let memory: UnsafeMutableRawBufferPointer
  /// How much of it is filled.
  private(set) var count = 0

  init() {
    unsafe memory = .allocate(byteCount: Self.margin + FileLimits.block, alignment: Self.margin)
  }

  deinit { unsafe memory.deallocate() }

  var room: Int { FileLimits.block - count }

  func clear() { count = 0 }

  /// The memory of a range of it, and of so many bytes `before`.
  private func bytes(_ range: Range<Int>, before: Int = 0) -> UnsafeMutableRawBufferPointer {
    let start = Self.margin + range.lowerBound - before
    return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<(Self.margin + range.upperBound)])
  }

  /// Appends bytes that fit; where they stand in their place already, it only counts them.
  func append(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= room, "no room for the bytes")
    unsafe bytes.withUnsafeBytes { source in
      let target = unsafe self.bytes(count..<(count + source.count))
      let isInPlace = unsafe UnsafeRawPointer(target.baseAddress) == source.baseAddress
      if source.count > 0, !isInPlace { unsafe target.copyMemory(from: source) }
    }
    count += bytes.byteCount
  }

  /// Appends at most `limit` bytes of a file; fewer only where it ends.
  func append(from file: Descriptor, limit: Int) throws(SystemError) -> Int {
    let read = unsafe try file.read(into: bytes(count..<(count + min(limit, room))))
    count += read
    return read
  }

  /// Writes a range of it to a file.
  func write(_ range: Range<Int>, to file: Descriptor) throws(SystemError) {
    unsafe try file.write(UnsafeRawBufferPointer(bytes(range)))
  }

  /// Lends a range of it.
  func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
    body(unsafe UnsafeRawBufferPointer(bytes(range)).bytes)
  }

  /// Lends room for a CHUNK's plaintext of `size` bytes, such that its data comes to where it is to be appended; nil
  /// without that room. What its header covers is put back.
  func withLanding<Result>(_ size: Int, _ body: (inout MutableRawSpan) -> Result) -> Result? {
    let data = size - ChunkHeader.frameOverhead
    guard data > 0, data <= room else { return nil }
    // The header and three bytes more.
    let before = Self.margin + count - MemoryLayout<UInt64>.size
    let covered = unsafe memory.loadUnaligned(fromByteOffset: before, as: UInt64.self)
    defer { unsafe memory.storeBytes(of: covered, toByteOffset: before, as: UInt64.self) }
    var frame = unsafe MutableRawSpan(
      _unsafeBytes: bytes(count..<(count + data), before: ChunkHeader.frameOverhead))
    return body(&frame)
  }

  /// Lends a range of it with room for a CHUNK's header before: over the end of what comes before the range, which is
  /// lost.
  func withFrame(_ range: Range<Int>, _ body: (inout MutableRawSpan) -> Void) {
    var frame = unsafe MutableRawSpan(_unsafeBytes: bytes(range, before: ChunkHeader.frameOverhead))
    body(&frame)
  }
}
