/// A handshake pattern with its modifiers (section 7): who knows whose key beforehand and what each message carries.
package struct HandshakePattern: Hashable, Sendable {
  /// What one step of a message does (section 7.1).
  package enum Token: Hashable, Sendable {
    case e, s, ee, es, se, ss, psk
  }

  /// The two sides.
  package enum Role: Hashable, Sendable {
    case initiator, responder
  }

  /// The name as it stands in a protocol name: `XK`, `IKpsk2`, `NNpsk0+psk2`.
  package let name: String
  /// Whether the responder knows the initiator's static key beforehand.
  package let initiatorIsKnown: Bool
  /// Whether the initiator knows the responder's static key beforehand.
  package let responderIsKnown: Bool
  /// The messages' tokens; the initiator writes the first, then they take turns.
  package let messages: [[Token]]

  init(
    _ name: String, initiatorIsKnown: Bool = false, responderIsKnown: Bool = false, _ messages: [Token]...
  ) {
    self.init(
      name: name, initiatorIsKnown: initiatorIsKnown, responderIsKnown: responderIsKnown, messages: messages)
  }

  private init(name: String, initiatorIsKnown: Bool, responderIsKnown: Bool, messages: [[Token]]) {
    self.name = name
    self.initiatorIsKnown = initiatorIsKnown
    self.responderIsKnown = responderIsKnown
    self.messages = messages
  }

  /// Parses a name: one of the table's, then modifiers joined by `+`.
  ///
  /// - Throws: `unsupportedPattern`, `unsupportedModifier`.
  package init(name: some StringProtocol) throws(NoiseError) {
    let base = name.prefix { !$0.isLowercase }
    guard var pattern = Self.all.first(where: { $0.name == base }) else { throw .unsupportedPattern }
    let modifiers = name.dropFirst(base.count)
    if !modifiers.isEmpty {
      let parts = modifiers.split(separator: "+", omittingEmptySubsequences: false)
      var indices: [Int] = []
      for part in parts {
        guard
          let index = (0...pattern.messages.count).first(where: { part == "psk\($0)" }),
          !indices.contains(index)
        else { throw .unsupportedModifier }
        indices.append(index)
      }
      pattern = pattern.withPresharedKeys(at: indices, name: String(name))
    }
    self = pattern
  }

  /// The pattern with a `psk` token before the first message (0) or at the end of message 1, 2, … (section 9.4).
  ///
  /// Section 9.3 wants an ephemeral key of the sender's in every message sealed after a `psk`: the table's patterns all
  /// start each side's first message with `e`.
  private func withPresharedKeys(at indices: [Int], name: String) -> HandshakePattern {
    var messages = messages
    for index in indices {
      if index == 0 {
        messages[0].insert(.psk, at: 0)
      } else {
        messages[index - 1].append(.psk)
      }
    }
    return HandshakePattern(
      name: name, initiatorIsKnown: initiatorIsKnown, responderIsKnown: responderIsKnown, messages: messages)
  }

  /// Whether only the initiator ever sends.
  package var isOneWay: Bool { messages.count == 1 }

  /// How many pre-shared keys the pattern mixes in, in the order of its messages.
  package var presharedKeyCount: Int { messages.joined().count { $0 == .psk } }

  /// Who writes the message with this index.
  package func writer(of index: Int) -> Role { index.isMultiple(of: 2) ? .initiator : .responder }

  /// Whether that side must bring a static key pair.
  package func needsStatic(_ role: Role) -> Bool {
    let isKnown = role == .initiator ? initiatorIsKnown : responderIsKnown
    return isKnown || messages.indices.contains { writer(of: $0) == role && messages[$0].contains(.s) }
  }
}
