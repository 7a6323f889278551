/// What both programs agree on.
package enum Release {
  package static let version = "0.1.0"
  /// Where a registry listens unless told otherwise.
  package static let registryPort: UInt16 = 7_499
  /// As the foot of the manual pages shows it.
  package static let date = "2026-11-20"
}
