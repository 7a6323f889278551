package import SecchatCore
package import SecchatLink
package import SecchatNet

/// What a transfer needs of the link it runs on.
@LoopActor package protocol TransferChannel: AnyObject {
  /// Queues a message.
  func send(_ message: some WireMessage)
  /// Queues a CHUNK whose data stands in `frame` behind room for its header.
  func sendChunk(_ header: ChunkHeader, in frame: inout MutableRawSpan)
  /// Sends what is queued.
  func flush()
  /// Waits until the peer has taken most of what was sent.
  func drain() async throws(LinkError)
}

extension SealedLink: TransferChannel {}

/// Why a transfer ended early: what the peer is told, and what the user is.
struct TransferFailure: Error, Equatable {
  var reason: Cancel.Reason
  var error: NodeError

  init(_ reason: Cancel.Reason, _ error: NodeError) {
    self.reason = reason
    self.error = error
  }
}
