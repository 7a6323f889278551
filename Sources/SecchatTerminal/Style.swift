/// How a piece of text is meant; colours follow from it on a terminal that has them.
package enum Style: Sendable, CaseIterable {
  case online
  case offline
  case verified
  case warning
  case error
  case time
  case name
  case strong
  case faint

  /// The parameters of Select Graphic Rendition (ECMA-48 §8.3.117).
  var parameters: String {
    switch self {
    case .online: "32"
    case .offline: "2"
    case .verified: "1;32"
    case .warning: "33"
    case .error: "1;31"
    case .time: "2"
    case .name: "1;36"
    case .strong: "1"
    case .faint: "2"
    }
  }
}
