internal import SecchatCore

/// Messages of one device that came in one turn: they are written together, and then shown and confirmed one by one.
struct Arrivals {
  struct One {
    let row: Int64
    let message: Message
    let news: [Correspondence.News]
    let session: PeerSession
    /// When it is to be forgotten (Unix seconds).
    let expires: UInt64?
    /// The prekey with which it began a session, and the one that was handed out over its link until then.
    let used: PrekeyKeeper.Used?
    let handed: OneTimePrekeyRecord?
  }

  var change = MessageChange()
  var all: [One] = []

  /// So many at most share a change.
  static let size = 64
}
