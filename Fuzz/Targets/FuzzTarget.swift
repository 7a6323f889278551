/// One decoder and what must hold of it, whatever the bytes.
package struct FuzzTarget: Sendable {
  /// What a decoder made of some bytes.
  package enum Outcome: Equatable, Sendable {
    /// They are not of its form.
    case refused
    /// They are, and what was read writes the same again.
    case accepted
    /// What must hold does not.
    case broken(String)
  }

  /// The name on the command line.
  package let name: String
  /// Whether an accepted input is the only form of its value, so that no beginning of it, and nothing longer, is one.
  package let isExact: Bool
  /// Inputs that are accepted.
  package let seeds: [[UInt8]]
  /// Feeds bytes to the decoder. Never traps.
  package let run: @Sendable ([UInt8]) -> Outcome

  init(
    _ name: String, isExact: Bool = false, seeds: [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Outcome
  ) {
    self.name = name
    self.isExact = isExact
    self.seeds = seeds
    self.run = run
  }

  /// A decoder of text; bytes that are not UTF-8 are refused before it.
  init(
    _ name: String, isExact: Bool = false, texts: [String], run: @escaping @Sendable (String) -> Outcome
  ) {
    self.init(name, isExact: isExact, seeds: texts.map { Array($0.utf8) }) { bytes in
      guard let text = String(validating: bytes, as: UTF8.self) else { return .refused }
      return run(text)
    }
  }

  /// Every target.
  package static let all: [FuzzTarget] = wire + identity + text + terminal + node + twoParty

  /// The target of that name.
  package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

extension FuzzTarget.Outcome {
  /// What was read must write what it was read from.
  static func same<Value: Equatable>(_ written: Value, as read: Value) -> Self {
    written == read ? .accepted : .broken("what was read is written as something else")
  }

  /// A claim that must hold of what was accepted.
  static func holds(_ claim: Bool, _ what: String) -> Self { claim ? .accepted : .broken(what) }
}
