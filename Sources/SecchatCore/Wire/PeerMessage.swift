/// What a peer may send. CHUNK is not among them: its data is read in place (`ChunkHeader`).
package enum PeerMessage: Equatable, Sendable {
  case ready(Ready)
  case chat(Chat)
  case ack(Ack)
  case refuse(Refuse)
  case inquire(Inquire)
  case prekeys(Prekeys)
  case offer(Offer)
  case accept(Accept)
  case entry(Entry)
  case end(End)
  case cancel(Cancel)
  case resume(Resume)

  /// Reads the body of a frame of type `type`.
  package init(type: FrameType, body: RawSpan) throws(WireError) {
    switch type {
    case .ready: self = .ready(try Ready(wholeBody: body))
    case .chat: self = .chat(try Chat(wholeBody: body))
    case .ack: self = .ack(try Ack(wholeBody: body))
    case .refuse: self = .refuse(try Refuse(wholeBody: body))
    case .inquire: self = .inquire(try Inquire(wholeBody: body))
    case .prekeys: self = .prekeys(try Prekeys(wholeBody: body))
    case .offer: self = .offer(try Offer(wholeBody: body))
    case .accept: self = .accept(try Accept(wholeBody: body))
    case .entry: self = .entry(try Entry(wholeBody: body))
    case .end: self = .end(try End(wholeBody: body))
    case .cancel: self = .cancel(try Cancel(wholeBody: body))
    case .resume: self = .resume(try Resume(wholeBody: body))
    default: throw .malformed
    }
  }
}
