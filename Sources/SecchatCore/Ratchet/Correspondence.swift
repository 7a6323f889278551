package import SecchatCrypto

/// All that two devices have between them to write to one another: their ratchet sessions, and where each side's messages
/// are. Pure: bytes and keys in, values out; what a step makes of it has to be kept before anything of it leaves.
package struct Correspondence: Sendable {
  /// The first is the one to send on.
  private var sessions: [RatchetSession] = []
  /// Our last message that the other side has confirmed.
  private var sent = Place()
  /// Our last message that was sealed since `rewind`. Not kept: what is not confirmed is sent again.
  private var written = Place()
  /// The other side's last message that came.
  private var received = Place()
  /// Whether the next message has to begin a session, though there are some: what we have is an old copy.
  private var mustBegin = false

  fileprivate struct Place: Equatable, Sendable {
    var sequence: UInt64 = 0
    var hash = FixedBytes<32>()
  }

  /// Sessions that are kept: one to send on, and those in which something may still come.
  private static let kept = 4

  package init() {}

  // MARK: Sending

  /// Whether a bundle is needed before anything can be sealed.
  package var needsBundle: Bool { sessions.isEmpty || mustBegin }

  /// Goes back to the first message that is not confirmed: all of them are sealed again.
  package mutating func rewind() { written = sent }

  /// Seals a message as the one after those that were sealed since `rewind`.
  ///
  /// - Throws: `cannotSendYet` where a bundle is needed; `exhausted`.
  package mutating func seal(_ message: Message) throws(RatchetError) -> Sealed {
    guard !needsBundle else { throw .cannotSendYet }
    let content = Content(sequence: written.sequence + 1, previous: written.hash, message: message)
    let envelope = try sessions[0].seal(content.encoded)
    written = Place(sequence: content.sequence, hash: content.hash)
    return Sealed(envelope: envelope, place: written)
  }

  /// A message on its way.
  package struct Sealed: Sendable {
    package let envelope: Envelope
    /// Where it stands, once it is confirmed.
    fileprivate let place: Place
  }

  /// The other side has a message, and with it all before it.
  package mutating func confirm(_ sealed: Sealed) {
    sent = sealed.place
  }

  /// Begins a session, to send on from now on.
  ///
  /// - Throws: `authenticationFailed` for keys of small order.
  package mutating func begin(
    with bundle: PrekeyBundle, as ours: Party, _ secret: SecretIdentity
  ) throws(CryptoError) {
    insert(try .begin(with: bundle, as: ours, secret), at: 0)
    mustBegin = false
  }

  /// The other side cannot open what that session seals: the next message begins another. Says whether that is news: a
  /// message of a session that we have left already is not.
  package mutating func abandon(_ session: SessionID) -> Bool {
    guard let first = sessions.first, first.name == session, !mustBegin else { return false }
    mustBegin = true
    return true
  }

  /// The one-time prekey that a session of ours began with.
  package func oneTimePrekey(of session: SessionID) -> UInt32? {
    sessions.first { $0.name == session && $0.isOurs }?.initiation?.oneTime
  }

  private mutating func insert(_ session: RatchetSession, at index: Int) {
    sessions.insert(session, at: index)
    if sessions.count > Self.kept { sessions.removeLast(sessions.count - Self.kept) }
  }

  // MARK: Receiving

  /// Why a message was not opened. Nothing has changed then.
  package enum Failure: Error, Equatable, Sendable {
    /// Its session is not known here, or does not open it: the sender has to begin another.
    case undecryptable
    /// It begins a session with prekeys that are not here: the sender has to begin another, with others.
    case unknownPrekey
    /// What it holds cannot be read.
    case malformed
  }

  /// What a message shows of the other side's state, or of ours.
  package enum News: Equatable, Sendable {
    /// The other side has begun a session anew: it has lost the one there was, or reads that we have.
    case reset
    /// So many messages of the other side, which it takes for received, are not here: our state is an old copy.
    case missing(UInt64)
    /// The other side's messages do not follow those that came before: its state is an old copy.
    case rolledBack
  }

  package struct Opened: Equatable, Sendable {
    package let content: Content
    package let news: [News]
    /// How its session begins, where this is its first message: the one-time prekey has had its use, and where there is none
    /// the initiation is never to be answered again.
    package let begun: Initiation?
  }

  /// Opens a message that a device has sent.
  ///
  /// - Parameters:
  ///   - theirs, ours: the two devices, by lists that the caller trusts.
  ///   - prekeys: the secrets that an initiation names; nil where one of them is not there, or the initiation, without a
  ///     one-time prekey, has been answered before.
  package mutating func open(
    _ envelope: Envelope, from theirs: Party, as ours: Party, _ secret: SecretIdentity,
    prekeys: (Initiation) -> PrekeySecrets?
  ) throws(Failure) -> Opened {
    var after = self
    var news: [News] = []
    var begun: Initiation?
    let plaintext: SecretBytes
    do {
      if let index = sessions.firstIndex(where: { $0.name == envelope.session }) {
        plaintext = try after.sessions[index].open(envelope)
        if yields(to: index, theirs, ours) { after.sessions.insert(after.sessions.remove(at: index), at: 0) }
      } else {
        guard let initiation = envelope.initiation else { throw Failure.undecryptable }
        guard let secrets = prekeys(initiation) else { throw Failure.unknownPrekey }
        var session = try RatchetSession.answer(initiation, of: theirs, with: secrets, as: ours, secret)
        guard session.name == envelope.session else { throw Failure.undecryptable }
        plaintext = try session.open(envelope)
        begun = initiation
        if sessions.contains(where: { $0.isAnswered }) { news.append(.reset) }
        // Both began at once: both sides keep to the session of whose identity key is the lower.
        let isGlare = sessions.first.map { $0.isOurs && !$0.isAnswered && !mustBegin } ?? false
        after.insert(session, at: isGlare && ours.identity.raw < theirs.identity.raw ? 1 : 0)
        if !isGlare { after.mustBegin = false }
      }
    } catch let failure as Failure {
      throw failure
    } catch { throw .undecryptable }
    let content: Content
    do throws(WireError) { content = try Content(decoding: plaintext.bytes) } catch { throw .malformed }
    if let one = after.follow(content, isFirst: begun != nil) { news.append(one) }
    self = after
    return Opened(content: content, news: news, begun: begun)
  }

  /// Whether both sides write in a session of their own, each of which only one of them uses, so that no key is renewed:
  /// both keep to the one whose identity key is the lower. Not to one in which we have sent before: we left it for a reason.
  private func yields(to index: Int, _ theirs: Party, _ ours: Party) -> Bool {
    let (first, other) = (sessions[0], sessions[index])
    return index > 0 && !mustBegin && first.isOurs && !first.isAnswered && !other.isOurs && !other.hasSent
      && theirs.identity.raw < ours.identity.raw
  }

  /// Takes the message's place for that of the last one, and says what is wrong with it. One that comes again, over another
  /// link, leaves the place where it is; its caller knows it by its id.
  private mutating func follow(_ content: Content, isFirst: Bool) -> News? {
    let expected = received.sequence + 1
    guard content.sequence >= expected || isFirst else { return .rolledBack }
    defer { received = Place(sequence: content.sequence, hash: content.hash) }
    if content.sequence > expected {
      // What seals our messages may be as old as what has opened this one.
      mustBegin = true
      return .missing(content.sequence - expected)
    }
    guard content.sequence == expected, content.previous == received.hash else { return .rolledBack }
    return nil
  }
}

/// How it is kept between two starts of a program; always sealed.
///
///     format    u8, 1
///     sent      u64 sequence, 32 bytes hash
///     received  the same
///     begin     u8
///     sessions  u8 count, each a RatchetSession
extension Correspondence {
  private static let format: UInt8 = 1

  /// The whole, in memory that wipes itself.
  package var encoded: SecretBytes {
    var head = WireWriter()
    head.u8(Self.format)
    for place in [sent, received] {
      head.u64(place.sequence)
      head.fixed(place.hash)
    }
    head.flag(mustBegin)
    head.u8(UInt8(sessions.count))
    var writer = SecretWriter(count: head.bytes.count + sessions.reduce(0) { $0 + $1.encodedLength })
    writer.raw(head.bytes.raw)
    for session in sessions { session.encode(into: &writer) }
    return writer.finish()
  }

  /// Reads what `encoded` wrote.
  package init(decoding bytes: RawSpan) throws(WireError) {
    var reader = WireReader(bytes)
    guard try reader.u8() == Self.format else { throw .malformed }
    sent = Place(sequence: try reader.u64(), hash: try reader.fixed())
    written = sent
    received = Place(sequence: try reader.u64(), hash: try reader.fixed())
    mustBegin = try reader.flag()
    let count = Int(try reader.u8())
    guard count <= Self.kept else { throw .tooLong }
    for _ in 0..<count { sessions.append(try RatchetSession(from: &reader)) }
    try reader.end()
  }
}
