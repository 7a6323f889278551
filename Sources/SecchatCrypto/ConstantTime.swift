internal import CSodium

/// Comparison whose time depends on the lengths alone.
package enum ConstantTime {
  /// Whether both are the same bytes. Different lengths are different, at once.
  package static func equal(_ left: RawSpan, _ right: RawSpan) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    guard left.byteCount > 0 else { return true }
    return unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        unsafe sodium_memcmp(
          left.baseAddress.unsafelyUnwrapped, right.baseAddress.unsafelyUnwrapped, left.count) == 0
      }
    }
  }
}
