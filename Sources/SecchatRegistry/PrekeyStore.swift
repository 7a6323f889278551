package import SecchatCore

/// Whose prekeys.
package struct PrekeyOwner: Hashable, Sendable {
  package let name: UserName
  package let device: UInt32

  package init(name: UserName, device: UInt32) {
    self.name = name
    self.device = device
  }
}

/// What came of a PUBLISH.
package enum PublishOutcome: Equatable, Sendable {
  /// Taken: the id of the signed prekey that is there now (0: none), and how many one-time prekeys are not handed out.
  case published(signed: UInt32, left: Int)
  /// There is no such device, it has not signed the signed prekey, or a key goes under an id that has another. Nothing has
  /// changed.
  case refused
  /// More one-time prekeys would lie there than may. Nothing has changed.
  case tooMany
}

/// How many one-time prekeys of one device may be handed out in an hour.
package struct PrekeyLimits: Equatable, Sendable {
  package var perDevice: Int
  /// To one account.
  package var perRequester: Int

  package init(perDevice: Int, perRequester: Int) {
    self.perDevice = perDevice
    self.perRequester = perRequester
  }
}

/// A FETCH, as the store decides it.
package struct PrekeyOrder: Sendable {
  package var owner: PrekeyOwner
  package var requester: UserName
  /// The one-time prekey that a RESET names.
  package var failed: UInt32?
  package var limits: PrekeyLimits
  /// Whether the requester may be given one that it does not have yet.
  package var mayHaveNew: Bool

  package init(
    owner: PrekeyOwner, requester: UserName, failed: UInt32? = nil, limits: PrekeyLimits,
    mayHaveNew: Bool = true
  ) {
    self.owner = owner
    self.requester = requester
    self.failed = failed
    self.limits = limits
    self.mayHaveNew = mayHaveNew
  }
}

/// What came of a FETCH.
package enum PrekeyOutcome: Equatable, Sendable {
  /// The device has no signed prekey there, or one that has expired.
  case none
  /// The RESET names a one-time prekey that was not handed to this requester. Nothing has changed.
  case badReset
  /// With a one-time prekey where there was one to give.
  case offer(PrekeyOffer)
  /// The same with a one-time prekey that nobody has been given before; so many are left.
  case handedOut(PrekeyOffer, left: Int)

  package var offer: PrekeyOffer? {
    switch self {
    case .none, .badReset: nil
    case .offer(let offer), .handedOut(let offer, _): offer
    }
  }
}

/// How long the memory of what was handed out lasts, in seconds.
package enum PrekeyMemory {
  /// A requester that asks again is given the same, and what was handed out counts, for so long.
  package static let hour: UInt64 = 3_600
  /// What its owner never reported used is forgotten after so long: nobody still begins a conversation with it.
  package static let unused: UInt64 = 30 * 86_400
  /// Of one device no more than so many are remembered, whenever it brings new ones: eight hours at the full rate.
  package static let perDevice = 500
}
