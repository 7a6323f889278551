internal import SecchatCore
internal import SecchatNet

/// What becomes of a message, told to who waits for it.
enum Fate: Equatable, Sendable {
  /// It has left: for those who wait for no more.
  case sent
  case delivered
  case refused
  /// It is not kept: why.
  case lost(NodeError)
}

/// Those who wait for what becomes of messages to one account.
@LoopActor final class Audience {
  private var ends: [MessageID: [OneShot<Fate>]] = [:]
  /// Of those for whom it is enough that it leaves.
  private var departures: [MessageID: [OneShot<Fate>]] = [:]

  /// Waits for what becomes of a message, `departure`: or until it leaves, no longer than until `deadline` or until the task
  /// is cancelled: nil then.
  func wait(for id: MessageID, orDeparture departure: Bool, by deadline: Instant) async -> Fate? {
    let slot = OneShot<Fate>()
    if departure { departures[id, default: []].append(slot) } else { ends[id, default: []].append(slot) }
    let fate = await withTaskCancellationHandler {
      try? await slot.wait(deadline: deadline)
    } onCancel: {
      Loop.spawn { slot.fail(.cancelled) }
    }
    forget(slot, in: &departures[id])
    forget(slot, in: &ends[id])
    return fate
  }

  private func forget(_ slot: OneShot<Fate>, in slots: inout [OneShot<Fate>]?) {
    slots?.removeAll { $0 === slot }
    if slots?.isEmpty ?? false { slots = nil }
  }

  /// Whether somebody waits to hear that the message has come through.
  func awaits(_ id: MessageID) -> Bool { ends[id] != nil }

  func tellDeparture(of id: MessageID) { tell(&departures[id], .sent) }

  /// Tells all that something has become of a message.
  func settle(_ id: MessageID, _ fate: Fate) {
    tell(&departures[id], fate)
    tell(&ends[id], fate)
  }

  private func tell(_ slots: inout [OneShot<Fate>]?, _ fate: Fate) {
    for slot in slots ?? [] { slot.fulfil(fate) }
    slots = nil
  }
}
