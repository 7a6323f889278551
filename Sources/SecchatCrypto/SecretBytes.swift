internal import CSodium

/// Bytes that must not outlive their use: one owner, no copies, wiped when the owner lets go.
///
/// Not printable, not comparable with `==`, not storable in `Any`: all three follow from `~Copyable`.
@safe package struct SecretBytes: ~Copyable, @unchecked Sendable {
  private let storage: UnsafeMutableRawBufferPointer
  private let home: Home

  /// Where the bytes lie.
  package enum Home: Sendable {
    /// Ordinary memory. For session keys: there may be tens of thousands of them.
    case heap
    /// Locked memory between guard pages, left out of core dumps. For long-term keys (at most
    /// `GuardedArena.slotSize` bytes each).
    case guarded
  }

  /// `count` zero bytes, then whatever `fill` writes.
  package init(
    count: Int, in home: Home = .heap, initializedBy fill: (inout MutableRawSpan) -> Void
  ) {
    self.init(count: count, in: home)
    var span = mutableBytes
    fill(&span)
  }

  /// The same, where filling can fail; what was written until then is wiped.
  package init(
    count: Int, in home: Home = .heap,
    tryInitializedBy fill: (inout MutableRawSpan) throws(CryptoError) -> Void
  ) throws(CryptoError) {
    self.init(count: count, in: home)
    var span = mutableBytes
    try fill(&span)
  }

  /// `count` zero bytes.
  package init(count: Int, in home: Home = .heap) {
    _ = Sodium.ready
    switch home {
    case .heap:
      unsafe storage = .allocate(byteCount: max(count, 1), alignment: 16)
    case .guarded:
      unsafe storage = GuardedArena.shared.allocate(count)
    }
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
    self.count = count
    self.home = home
  }

  /// How many bytes.
  package let count: Int

  /// A copy of `bytes`; the source remains its owner's to wipe.
  package init(copying bytes: RawSpan, in home: Home = .heap) {
    self.init(count: bytes.byteCount, in: home) { (target: inout MutableRawSpan) in
      target.copy(from: bytes)
    }
  }

  /// `count` bytes from the system's random source.
  package static func random(count: Int, in home: Home = .heap) -> SecretBytes {
    SecretBytes(count: count, in: home) { (target: inout MutableRawSpan) in Random.fill(&target) }
  }

  /// The bytes, borrowed: they cannot leave the owner's life.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe RawSpan(_unsafeStart: storage.baseAddress.unsafelyUnwrapped, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes, for writing.
  package var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableRawSpan(
        _unsafeStart: storage.baseAddress.unsafelyUnwrapped, byteCount: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Lends the bytes; for owners that are classes, whose properties cannot be borrowed from.
  package borrowing func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(bytes)
  }

  /// Another owner of the same bytes, asked for by name because it doubles what must be wiped.
  package borrowing func duplicate(in home: Home = .heap) -> SecretBytes {
    SecretBytes(copying: bytes, in: home)
  }

  deinit {
    unsafe sodium_memzero(storage.baseAddress.unsafelyUnwrapped, storage.count)
    #if DEBUG
      SecretBytes.afterWipeForTestingOnly.withLock { observer in
        unsafe observer?(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(storage)))
      }
    #endif
    switch home {
    case .heap: unsafe storage.deallocate()
    case .guarded: unsafe GuardedArena.shared.deallocate(storage)
    }
  }
}

#if DEBUG
  extension SecretBytes {
    /// Sees the memory of every secret between its wiping and its release. Debug builds only.
    package static let afterWipeForTestingOnly = Lock<((RawSpan) -> Void)?>(nil)
  }
#endif
