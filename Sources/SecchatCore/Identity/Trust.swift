/// What a device list means beside the one that is pinned for the account. Pure: the node decides what to do with it.
package enum Verdict: Equatable, Sendable {
  /// Nothing was pinned: this is the first list of the account.
  case first
  /// The pinned list itself, whoever vouches for it.
  case same
  /// A newer list of the same identity key that one of the previous devices signed too.
  case continuous
  /// A newer list that the identity key alone signed.
  case recovered
  /// Another identity key. Nothing is sent until the user accepts it by fingerprint.
  case unexplained
  /// An older list, another list of the pinned version, or a list of another account: refused.
  case refused

  /// Judges `offered` for `account`, of which `pinned` was the last list accepted.
  package init(of offered: SignedDeviceList, for account: Account, pinned: SignedDeviceList?) {
    guard offered.list.account == account else {
      self = .refused
      return
    }
    guard let pinned else {
      self = .first
      return
    }
    guard offered.list.identity == pinned.list.identity else {
      self = .unexplained
      return
    }
    if offered.list.version == pinned.list.version {
      self = offered == pinned ? .same : .refused
    } else if offered.list.version < pinned.list.version {
      self = .refused
    } else {
      self = offered.isContinuous(after: pinned) ? .continuous : .recovered
    }
  }
}
