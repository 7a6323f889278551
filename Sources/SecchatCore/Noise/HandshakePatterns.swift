// The names are Noise's own.
// swift-format-ignore: AlwaysUseLowerCamelCase
extension HandshakePattern {
  // One-way (section 7.4).
  package static let N = HandshakePattern("N", responderIsKnown: true, [.e, .es])
  package static let K = HandshakePattern(
    "K", initiatorIsKnown: true, responderIsKnown: true, [.e, .es, .ss])
  package static let X = HandshakePattern("X", responderIsKnown: true, [.e, .es, .s, .ss])

  // Interactive (section 7.5).
  package static let NN = HandshakePattern("NN", [.e], [.e, .ee])
  package static let NK = HandshakePattern("NK", responderIsKnown: true, [.e, .es], [.e, .ee])
  package static let NX = HandshakePattern("NX", [.e], [.e, .ee, .s, .es])
  package static let KN = HandshakePattern("KN", initiatorIsKnown: true, [.e], [.e, .ee, .se])
  package static let KK = HandshakePattern(
    "KK", initiatorIsKnown: true, responderIsKnown: true, [.e, .es, .ss], [.e, .ee, .se])
  package static let KX = HandshakePattern("KX", initiatorIsKnown: true, [.e], [.e, .ee, .se, .s, .es])
  package static let XN = HandshakePattern("XN", [.e], [.e, .ee], [.s, .se])
  package static let XK = HandshakePattern("XK", responderIsKnown: true, [.e, .es], [.e, .ee], [.s, .se])
  package static let XX = HandshakePattern("XX", [.e], [.e, .ee, .s, .es], [.s, .se])
  package static let IN = HandshakePattern("IN", [.e, .s], [.e, .ee, .se])
  package static let IK = HandshakePattern("IK", responderIsKnown: true, [.e, .es, .s, .ss], [.e, .ee, .se])
  package static let IX = HandshakePattern("IX", [.e, .s], [.e, .ee, .se, .s, .es])

  // Deferred (section 7.6 and appendix 18.1): a 1 puts that side's authentication off by a message.
  package static let NK1 = HandshakePattern("NK1", responderIsKnown: true, [.e], [.e, .ee, .es])
  package static let NX1 = HandshakePattern("NX1", [.e], [.e, .ee, .s], [.es])
  package static let X1N = HandshakePattern("X1N", [.e], [.e, .ee], [.s], [.se])
  package static let X1K = HandshakePattern(
    "X1K", responderIsKnown: true, [.e, .es], [.e, .ee], [.s], [.se])
  package static let XK1 = HandshakePattern("XK1", responderIsKnown: true, [.e], [.e, .ee, .es], [.s, .se])
  package static let X1K1 = HandshakePattern(
    "X1K1", responderIsKnown: true, [.e], [.e, .ee, .es], [.s], [.se])
  package static let X1X = HandshakePattern("X1X", [.e], [.e, .ee, .s, .es], [.s], [.se])
  package static let XX1 = HandshakePattern("XX1", [.e], [.e, .ee, .s], [.es, .s, .se])
  package static let X1X1 = HandshakePattern("X1X1", [.e], [.e, .ee, .s], [.es, .s], [.se])
  package static let K1N = HandshakePattern("K1N", initiatorIsKnown: true, [.e], [.e, .ee], [.se])
  package static let K1K = HandshakePattern(
    "K1K", initiatorIsKnown: true, responderIsKnown: true, [.e, .es], [.e, .ee], [.se])
  package static let KK1 = HandshakePattern(
    "KK1", initiatorIsKnown: true, responderIsKnown: true, [.e], [.e, .ee, .se, .es])
  package static let K1K1 = HandshakePattern(
    "K1K1", initiatorIsKnown: true, responderIsKnown: true, [.e], [.e, .ee, .es], [.se])
  package static let K1X = HandshakePattern("K1X", initiatorIsKnown: true, [.e], [.e, .ee, .s, .es], [.se])
  package static let KX1 = HandshakePattern("KX1", initiatorIsKnown: true, [.e], [.e, .ee, .se, .s], [.es])
  package static let K1X1 = HandshakePattern(
    "K1X1", initiatorIsKnown: true, [.e], [.e, .ee, .s], [.se, .es])
  package static let I1N = HandshakePattern("I1N", [.e, .s], [.e, .ee], [.se])
  package static let I1K = HandshakePattern("I1K", responderIsKnown: true, [.e, .es, .s], [.e, .ee], [.se])
  package static let IK1 = HandshakePattern("IK1", responderIsKnown: true, [.e, .s], [.e, .ee, .se, .es])
  package static let I1K1 = HandshakePattern(
    "I1K1", responderIsKnown: true, [.e, .s], [.e, .ee, .es], [.se])
  package static let I1X = HandshakePattern("I1X", [.e, .s], [.e, .ee, .s, .es], [.se])
  package static let IX1 = HandshakePattern("IX1", [.e, .s], [.e, .ee, .se, .s], [.es])
  package static let I1X1 = HandshakePattern("I1X1", [.e, .s], [.e, .ee, .s], [.se, .es])

  /// Every pattern that a name may begin with.
  package static let all = [
    N, K, X, NN, NK, NX, KN, KK, KX, XN, XK, XX, IN, IK, IX,
    NK1, NX1, X1N, X1K, XK1, X1K1, X1X, XX1, X1X1,
    K1N, K1K, KK1, K1K1, K1X, KX1, K1X1, I1N, I1K, IK1, I1K1, I1X, IX1, I1X1,
  ]
}
