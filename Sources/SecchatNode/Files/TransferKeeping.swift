package import SecchatCore

/// What makes an incoming transfer one that can go on another time.
package struct TransferKeeping: Sendable {
  let seal: JournalSeal
  /// Transfers whose parts stay where they are, this one among them.
  let others: Set<MessageID>
  /// Whether all of it has come before, and only the sender may not know.
  let isComplete: Bool

  package init(_ seal: JournalSeal, others: Set<MessageID> = [], isComplete: Bool = false) {
    self.seal = seal
    self.isComplete = isComplete
    self.others = others.union([seal.id])
  }
}
