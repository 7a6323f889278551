import SecchatCrypto

/// A receiving chain: the messages under one ratchet key of the other side.
struct ReceivingChain: Sendable {
  let theirs: RatchetPublicKey
  /// CKr; nil where the chain is over and only what was skipped may still come.
  private(set) var key: ChainKey?
  /// Nr: the number of the next message.
  private(set) var next: UInt32
  /// Keys of messages that were passed over, ascending.
  private(set) var skipped: [SkippedKey]

  init(theirs: RatchetPublicKey, key: ChainKey?, next: UInt32 = 0, skipped: [SkippedKey] = []) {
    self.theirs = theirs
    self.key = key
    self.next = next
    self.skipped = skipped
  }

  /// How many messages have to be passed over before that number; nil where it is behind.
  func gap(before number: UInt32) -> UInt32? { number < next ? nil : number - next }

  /// Goes on to that number, keeping the keys that are passed over.
  mutating func skip(to number: UInt32) {
    while next < number, let key {
      skipped.append(SkippedKey(number: next, key: key.messageKey))
      self.key = key.next
      next += 1
    }
  }

  /// The key of the message that is next, and the chain after it; nil where the chain is over or its numbers are.
  mutating func step() -> SkippedKey? {
    guard let key, next < .max else { return nil }
    defer {
      self.key = key.next
      next += 1
    }
    return SkippedKey(number: next, key: key.messageKey)
  }

  func skippedKey(_ number: UInt32) -> SkippedKey? { skipped.first { $0.number == number } }

  mutating func forget(_ number: UInt32) { skipped.removeAll { $0.number == number } }

  mutating func forgetOldest(_ count: Int) { skipped.removeFirst(min(count, skipped.count)) }

  /// The other side has a new ratchet key: nothing follows what was passed over up to here.
  mutating func close() { key = nil }
}

/// The key of a message that has not come yet. Immutable, so that states can share it.
final class SkippedKey: Sendable {
  let number: UInt32
  let key: MessageKey

  init(number: UInt32, key: consuming MessageKey) {
    self.number = number
    self.key = key
  }
}
