internal import SecchatCore
internal import SecchatNet

/// Who is online, at which address, and who is told of it. In memory only: a registry that starts again learns it from
/// those who log in again.
@LoopActor final class PresenceBoard {
  private struct Attendance {
    var identity: IdentityPublicKey
    /// One a device, the one that logged in last at the end.
    var places: [Place]
  }

  private struct Place {
    let session: Session
    let device: UInt32
    let address: NetworkAddress
  }

  private var online: [UserName: Attendance] = [:]
  /// The names online, ascending.
  private var names: ContiguousArray<UserName> = []
  /// Sessions of each account, with those that peers cannot reach.
  private var sessions: [UserName: [Session]] = [:]
  private let sessionsPerAccount: Int
  let watchers: Watchers

  init(_ configuration: RegistryConfiguration) {
    sessionsPerAccount = configuration.sessionsPerAccount
    watchers = Watchers(configuration)
  }

  /// How many users are online.
  var count: Int { names.count }

  // MARK: Sessions

  /// Whether the account may have one more session; one that takes the place of another always may.
  func hasRoom(for name: UserName, device: UInt32, port: UInt16) -> Bool {
    if sessions(of: name).count < sessionsPerAccount { return true }
    return port != 0 && online[name]?.places.contains { $0.device == device } == true
  }

  func sessions(of name: UserName) -> [Session] { sessions[name] ?? [] }

  func enter(_ session: Session, _ name: UserName) { sessions[name, default: []].append(session) }

  func exit(_ session: Session, _ name: UserName) {
    sessions[name]?.removeAll { $0 === session }
    if sessions[name]?.isEmpty == true { sessions[name] = nil }
  }

  // MARK: Coming and going

  /// Puts a session that peers can reach online, or at another address. Another of the same device is taken off, and
  /// returned.
  func join(_ session: Session, _ attendee: Attendee) -> Session? {
    let name = attendee.account.name
    let before = address(of: name)
    var attendance = online[name] ?? Attendance(identity: attendee.account.identity, places: [])
    if attendance.places.isEmpty { names.insert(name, at: position(of: name)) }
    let replaced = attendance.places.first { $0.session !== session && $0.device == attendee.device }?.session
    attendance.places.removeAll { $0.session === session || $0.session === replaced }
    attendance.places.append(Place(session: session, device: attendee.device, address: attendee.address))
    attendance.identity = attendee.account.identity
    online[name] = attendance
    if before != attendee.address { watchers.tell(name) }
    return replaced
  }

  /// Takes a session off, where it is on the board.
  func leave(_ session: Session, _ name: UserName) {
    guard var attendance = online[name],
      let index = attendance.places.firstIndex(where: { $0.session === session })
    else { return }
    let before = address(of: name)
    attendance.places.remove(at: index)
    if attendance.places.isEmpty {
      online[name] = nil
      names.remove(at: position(of: name))
    } else {
      online[name] = attendance
    }
    if before != address(of: name) { watchers.tell(name) }
  }

  /// Where peers reach the user: at the device that logged in last.
  func address(of name: UserName) -> NetworkAddress? { online[name]?.places.last?.address }

  /// The first index whose name is not before `name`.
  private func position(of name: UserName) -> Int {
    var range = names.indices
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if names[middle] < name {
        range = middle + 1..<range.upperBound
      } else {
        range = range.lowerBound..<middle
      }
    }
    return range.lowerBound
  }

  // MARK: Listing

  /// The next users in the order of their names, and whether there are more.
  func page(after name: UserName?, limit: Int) -> (entries: [Listed.Entry], more: Bool) {
    var start = name.map(position(of:)) ?? 0
    if start < names.count, names[start] == name { start += 1 }
    let end = min(names.count, start + limit)
    var entries: [Listed.Entry] = []
    entries.reserveCapacity(end - start)
    for name in names[start..<end] {
      guard let attendance = online[name], let address = address(of: name) else { continue }
      entries.append(Listed.Entry(name: name, identity: attendance.identity, address: address))
    }
    return (entries, end < names.count)
  }

}

/// As whom a session is logged in.
struct Attendee: Sendable {
  let account: StoredAccount
  let device: UInt32
  /// As the registry sees the client, with the port that it gave.
  let address: NetworkAddress

  /// Whether peers can reach it there; if not, it is not online.
  var isReachable: Bool { address.port != 0 }
}
