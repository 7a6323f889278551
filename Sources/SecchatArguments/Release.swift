/// What the programs say they are.
package enum Release {
  package static let version = "0.1.0"
  /// As the foot of the manual pages shows it.
  package static let date = "2026-11-20"
}
