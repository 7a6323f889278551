package import SecchatCrypto

/// One side of a Double Ratchet session: its specification, section 3, with one difference in time that no message shows:
/// a new ratchet key is made when it is first needed for sending, not when the other side's arrives.
///
/// A value: what a step makes of it is another state, and a step that fails leaves this one as it was.
package struct RatchetState<Suite: RatchetSuite>: Sendable {
  /// RK.
  var root: RootKey
  /// DHs; nil for an initiator who has sent nothing yet.
  var ours: RatchetKeyPair?
  /// DHr; nil for a responder who has received nothing yet.
  var theirs: RatchetPublicKey?
  /// CKs and Ns; nil where the next message begins a chain with a new ratchet key.
  var sending: SendingChain?
  /// PN: messages in the sending chain before.
  var previous: UInt32 = 0
  /// The newest last.
  var receiving: [ReceivingChain] = []

  struct SendingChain: Sendable {
    var key: ChainKey
    var next: UInt32
  }

  /// The initiator's beginning. `theirs` is the responder's signed prekey.
  package init(initiator root: RootKey, theirs: RatchetPublicKey) {
    self.root = root
    self.theirs = theirs
  }

  /// The responder's beginning. `ours` is its signed prekey.
  package init(responder root: RootKey, ours: RatchetKeyPair) {
    self.root = root
    self.ours = ours
  }

  init(restoring root: RootKey) { self.root = root }

  /// Whether this side has sealed something.
  var hasSent: Bool { sending != nil || previous > 0 }

  /// RatchetEncrypt.
  ///
  /// - Parameters:
  ///   - associated: what is authenticated with the message, given its header.
  ///   - makeKey: a new ratchet key, where one is needed.
  /// - Throws: `cannotSendYet`, `exhausted`.
  package mutating func seal(
    _ plaintext: RawSpan, authenticating associated: (RatchetHeader) -> [UInt8],
    makeKey: () -> RatchetKeyPair = RatchetKeyPair.random
  ) throws(RatchetError) -> (header: RatchetHeader, sealed: [UInt8]) {
    var after = self
    let chain = try after.sendingChain(makeKey)
    guard let ours = after.ours, chain.next < .max else { throw .exhausted }
    let header = RatchetHeader(key: ours.publicKey, previous: after.previous, number: chain.next)
    let sealed = Suite.seal(
      plaintext, with: chain.key.messageKey, authenticating: associated(header).raw)
    after.sending = SendingChain(key: chain.key.next, next: chain.next + 1)
    self = after
    return (header, sealed)
  }

  private mutating func sendingChain(_ makeKey: () -> RatchetKeyPair) throws(RatchetError) -> SendingChain {
    if let sending { return sending }
    guard let theirs else { throw .cannotSendYet }
    let fresh = makeKey()
    let chain: ChainKey
    (root, chain) = try step(fresh, theirs)
    ours = fresh
    return SendingChain(key: chain, next: 0)
  }

  /// The root step for a pair of ratchet keys.
  private func step(
    _ ours: RatchetKeyPair, _ theirs: RatchetPublicKey
  ) throws(RatchetError) -> (RootKey, ChainKey) {
    do throws(CryptoError) {
      let output = try ours.privateKey.sharedSecret(with: theirs)
      return root.step(output, info: Suite.rootInfo)
    } catch { throw .undecryptable }
  }

  /// RatchetDecrypt. The state moves only when the tag verifies.
  ///
  /// - Throws: `undecryptable`, `tooFarAhead`.
  package mutating func open(
    _ header: RatchetHeader, _ sealed: RawSpan, authenticating data: RawSpan
  ) throws(RatchetError) -> SecretBytes {
    var after = self
    let index: Int
    if let known = receiving.firstIndex(where: { $0.theirs == header.key }) {
      index = known
    } else {
      try after.ratchet(to: header)
      index = after.receiving.count - 1
    }
    let key: SkippedKey
    if let gap = after.receiving[index].gap(before: header.number) {
      guard gap <= RatchetLimits.skip - after.skippedMore(than: self) else { throw .tooFarAhead }
      after.receiving[index].skip(to: header.number)
      guard let next = after.receiving[index].step() else { throw .undecryptable }
      key = next
    } else {
      guard let kept = after.receiving[index].skippedKey(header.number) else { throw .undecryptable }
      after.receiving[index].forget(header.number)
      key = kept
    }
    let plaintext: SecretBytes
    do throws(CryptoError) {
      plaintext = try Suite.open(sealed, with: key.key, authenticating: data)
    } catch { throw .undecryptable }
    after.trim()
    self = after
    return plaintext
  }

  /// DHRatchet's receiving half. Its sending half comes with the next message that is sent.
  private mutating func ratchet(to header: RatchetHeader) throws(RatchetError) {
    if var last = receiving.last {
      if let gap = last.gap(before: header.previous) {
        guard gap <= RatchetLimits.skip else { throw .tooFarAhead }
        last.skip(to: header.previous)
      }
      last.close()
      receiving[receiving.count - 1] = last
    }
    // An initiator who has sent nothing has no key that anybody could have answered.
    guard let ours else { throw .undecryptable }
    let chain: ChainKey
    (root, chain) = try step(ours, header.key)
    if let sending { previous = sending.next }
    sending = nil
    theirs = header.key
    receiving.append(ReceivingChain(theirs: header.key, key: chain))
  }

  private var skippedCount: Int { receiving.reduce(0) { $0 + $1.skipped.count } }

  private func skippedMore(than before: RatchetState) -> UInt32 {
    UInt32(skippedCount - before.skippedCount)
  }

  /// Forgets the oldest chains and keys beyond the bounds.
  private mutating func trim() {
    // A chain that is over and has all its messages has nothing more to say.
    receiving.removeAll { $0.key == nil && $0.skipped.isEmpty }
    if receiving.count > RatchetLimits.chains {
      receiving.removeFirst(receiving.count - RatchetLimits.chains)
    }
    var surplus = skippedCount - RatchetLimits.skipped
    for index in receiving.indices where surplus > 0 {
      let before = receiving[index].skipped.count
      receiving[index].forgetOldest(surplus)
      surplus -= before - receiving[index].skipped.count
    }
  }
}

/// Bounds of one session.
package enum RatchetLimits {
  /// Messages that one may pass over at once: more than are ever under way; each costs two hashes.
  package static let skip: UInt32 = 1_000
  /// Keys of passed-over messages that are kept: 72 KiB.
  package static let skipped = 2_000
  /// Receiving chains that are kept, the newest included.
  package static let chains = 5
}
