internal import SecchatCore
internal import SecchatNet

/// Which sessions want to know of whose coming and going: so many names for one account and in all. What changes is told
/// at once, and again only after an interval: who comes and goes all the time must not cost all who watch as often.
@LoopActor final class Watchers {
  private struct Rest {
    var until: Instant
    /// Whether it changed since it was told.
    var isStale = false
  }

  private let limit: Int
  private let limitPerAccount: Int
  /// Milliseconds.
  private let interval: Int

  private var sessions: [UserName: [ObjectIdentifier: Session]] = [:]
  private var counts: [UserName: Int] = [:]
  private var count = 0
  /// Names told a moment ago.
  private var resting: [UserName: Rest] = [:]
  private var isWaking = false

  init(_ configuration: RegistryConfiguration) {
    limit = configuration.watches
    limitPerAccount = configuration.watchesPerAccount
    interval = configuration.presenceInterval
  }

  /// Adds names to those that a session of `account` watches; false, and nothing added, where they are too many.
  func add(_ names: Set<UserName>, for session: Session, of account: UserName) -> Bool {
    let id = ObjectIdentifier(session)
    let new = names.filter { sessions[$0]?[id] == nil }
    let own = counts[account, default: 0]
    if new.isEmpty { return true }
    guard count + new.count <= limit, own + new.count <= limitPerAccount else { return false }
    // Where it gets tight, nobody gets more than an equal share of three quarters: the last one is
    // for those who come late.
    let tight = limit * 3 / 4
    if count > tight {
      guard own + new.count <= tight / (counts.count + (own == 0 ? 1 : 0)) else { return false }
    }
    for name in new { sessions[name, default: [:]][id] = session }
    counts[account] = own + new.count
    count += new.count
    return true
  }

  func remove(_ names: Set<UserName>, for session: Session, of account: UserName) {
    var removed = 0
    for name in names where sessions[name]?.removeValue(forKey: ObjectIdentifier(session)) != nil {
      removed += 1
      if sessions[name]?.isEmpty == true { sessions[name] = nil }
    }
    count -= removed
    let left = counts[account, default: 0] - removed
    counts[account] = left > 0 ? left : nil
  }

  /// Tells all who watch the name what its presence is: now, or when its last change is an interval old.
  func tell(_ name: UserName) {
    guard sessions[name] != nil else { return }
    guard resting[name] == nil else {
      resting[name]?.isStale = true
      return
    }
    push(name)
    guard interval > 0 else { return }
    resting[name] = Rest(until: .now + interval)
    guard !isWaking else { return }
    isWaking = true
    Loop.spawn { await self.wake() }
  }

  private func push(_ name: UserName) {
    guard let watching = sessions[name] else { return }
    for session in watching.values { session.push([name]) }
  }

  /// Runs while there are names that rest.
  private func wake() async {
    defer { isWaking = false }
    while !resting.isEmpty {
      guard (try? await Loop.sleep(for: min(1_000, max(5, interval / 4)))) != nil else { return }
      let now = Instant.now
      for (name, rest) in resting where rest.until <= now {
        resting[name] = rest.isStale ? Rest(until: now + interval) : nil
        if rest.isStale { push(name) }
      }
    }
  }
}
