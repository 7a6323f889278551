/// What a registry may send: answers, and PRESENCE and STOCK unasked.
package enum RegistryAnswer: Equatable, Sendable {
  case registered(Registered)
  case loggedIn(LoggedIn)
  case listed(Listed)
  case found(Found)
  case alive(Alive)
  case loggedOut(LoggedOut)
  case watching(Watching)
  case published(Published)
  case bundle(Bundle)
  case failure(Failure)
  case presence(Presence)
  case stock(Stock)

  /// Reads the body of a frame of type `type`.
  package init(type: FrameType, body: RawSpan) throws(WireError) {
    switch type {
    case .registered: self = .registered(try Registered(wholeBody: body))
    case .loggedIn: self = .loggedIn(try LoggedIn(wholeBody: body))
    case .listed: self = .listed(try Listed(wholeBody: body))
    case .found: self = .found(try Found(wholeBody: body))
    case .alive: self = .alive(try Alive(wholeBody: body))
    case .loggedOut: self = .loggedOut(try LoggedOut(wholeBody: body))
    case .watching: self = .watching(try Watching(wholeBody: body))
    case .published: self = .published(try Published(wholeBody: body))
    case .bundle: self = .bundle(try Bundle(wholeBody: body))
    case .failure: self = .failure(try Failure(wholeBody: body))
    case .presence: self = .presence(try Presence(wholeBody: body))
    case .stock: self = .stock(try Stock(wholeBody: body))
    default: throw .malformed
    }
  }

  /// The id of the request that this answers; nil for what comes unasked.
  package var request: UInt32? {
    switch self {
    case .registered(let message): message.request
    case .loggedIn(let message): message.request
    case .listed(let message): message.request
    case .found(let message): message.request
    case .alive(let message): message.request
    case .loggedOut(let message): message.request
    case .watching(let message): message.request
    case .published(let message): message.request
    case .bundle(let message): message.request
    case .failure(let message): message.request
    case .presence, .stock: nil
    }
  }
}
