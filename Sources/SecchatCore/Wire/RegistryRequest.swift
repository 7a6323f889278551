/// What a client may ask of a registry.
package enum RegistryRequest: Equatable, Sendable {
  case register(Register)
  case login(Login)
  case list(List)
  case lookup(Lookup)
  case heartbeat(Heartbeat)
  case logout(Logout)
  case watch(Watch)
  case publish(Publish)
  case fetch(Fetch)

  /// Reads the body of a frame of type `type`.
  package init(type: FrameType, body: RawSpan) throws(WireError) {
    switch type {
    case .register: self = .register(try Register(wholeBody: body))
    case .login: self = .login(try Login(wholeBody: body))
    case .list: self = .list(try List(wholeBody: body))
    case .lookup: self = .lookup(try Lookup(wholeBody: body))
    case .heartbeat: self = .heartbeat(try Heartbeat(wholeBody: body))
    case .logout: self = .logout(try Logout(wholeBody: body))
    case .watch: self = .watch(try Watch(wholeBody: body))
    case .publish: self = .publish(try Publish(wholeBody: body))
    case .fetch: self = .fetch(try Fetch(wholeBody: body))
    default: throw .malformed
    }
  }
}
