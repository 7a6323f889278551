internal import SecchatCrypto

/// A passphrase on its way to the key file. Shared by reference; wiped when it is forgotten or the last holder lets go.
public final class Passphrase: Sendable {
  private final class Content: Sendable {
    let secret: SecretBytes

    init(_ bytes: RawSpan) { secret = SecretBytes(copying: bytes) }
  }

  private let content: Lock<Content?>

  /// Copies the bytes; the caller wipes its own.
  public init(_ bytes: RawSpan) { content = Lock(Content(bytes)) }

  /// Lends the bytes: none once they are forgotten.
  package func withBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let content = content.withLock({ $0 }) else { return try body(RawSpan()) }
    return try content.secret.withBytes(body)
  }

  /// Whether there is nothing in it.
  public var isEmpty: Bool { (content.withLock { $0?.secret.count } ?? 0) == 0 }

  /// Wipes it although somebody may still hold it: a node that stays needs it once.
  package func forget() { content.withLock { $0 = nil } }
}

/// Where a passphrase comes from when one is needed.
public enum PassphraseSource: Sendable {
  /// Given with the command: checked also where a running node would not need it.
  case given(Passphrase)
  /// Asked for only when a key file must be opened; again, at most twice, after a wrong one.
  case ask(@Sendable () async throws(NodeError) -> Passphrase)
}
