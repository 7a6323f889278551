internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// The open sessions, and which of several with the same device is used.
@LoopActor final class Sessions {
  private struct Device: Hashable {
    let account: Account
    let id: UInt32
  }

  private let ourIdentity: IdentityPublicKey
  private var current: [Device: PeerSession] = [:]
  /// All that are open, retired ones included.
  private var all: [ObjectIdentifier: PeerSession] = [:]

  /// Two links made within this time of one another were dialled at once (milliseconds).
  private static let glare = 10_000

  init(ourIdentity: IdentityPublicKey, inAll: Int = 512) {
    self.ourIdentity = ourIdentity
    self.inAll = inAll
  }

  /// The session to send on; one whose keys are due for renewal is not, nor one that may be dead.
  func session(with account: Account) -> PeerSession? {
    current.values.first {
      $0.peer == account && $0.isOpen && !$0.link.isClosed && $0.takesOurMessages && !$0.isDoubtful
        && $0.age < Limits.linkAge
    }
  }

  var isEmpty: Bool { all.isEmpty }

  /// Links that one account may hold at once: its devices', and those being replaced.
  private static let linksAnAccount = 8

  /// Whether another link with the account may be taken in.
  func hasRoom(for account: Account) -> Bool {
    all.values.lazy.filter { $0.peer == account }.count < Self.linksAnAccount
  }

  /// Links that all may hold at once: half of the descriptors that a process usually has. What this node dials is let
  /// in beyond.
  private var inAll: Int

  /// Another number of links in all.
  func setRoomForTestingOnly(_ links: Int) { inAll = links }

  /// Whether another link that the account has dialled may be taken in. Where all are taken, one that the other side
  /// dialled and nothing happens on gives way, the oldest of strangers before the oldest of contacts: who has something
  /// to say dials again.
  func makeRoom(for account: Account) -> Bool {
    guard hasRoom(for: account) else { return false }
    guard all.count >= inAll else { return true }
    let idle = all.values.filter { !$0.link.isInitiator && $0.isIdle }
    let strangers = idle.filter { $0.unpinned != nil }
    guard let oldest = (strangers.isEmpty ? idle : strangers).max(by: { $0.age < $1.age }) else {
      return false
    }
    oldest.close(.goingAway)
    remove(oldest)
    return true
  }

  /// Takes a new session in. Where there is one already with the same device, both ends keep the same one: of two that
  /// were dialled at once, the one whose initiator has the lower identity key; else the newer, because a peer that
  /// dials anew has lost the old.
  func add(_ session: PeerSession, identity theirs: IdentityPublicKey) {
    all[ObjectIdentifier(session)] = session
    let device = Device(account: session.peer, id: session.device)
    guard let old = current[device], old.isOpen else {
      current[device] = session
      return
    }
    let isGlare = old.link.isInitiator != session.link.isInitiator && old.age < Self.glare
    let oursWins = ourIdentity.raw < theirs.raw
    if isGlare, old.link.isInitiator == oursWins {
      session.retire()
    } else {
      current[device] = session
      old.retire()
    }
  }

  /// The other side has begun to send here: what it sent over its other links before, and what may be under way still, it
  /// sends again.
  func turn(to session: PeerSession) {
    for other in all.values
    where other !== session && other.peer == session.peer && other.device == session.device { other.shut() }
  }

  func remove(_ session: PeerSession) {
    all[ObjectIdentifier(session)] = nil
    let device = Device(account: session.peer, id: session.device)
    guard current[device] === session else { return }
    // A retired one that is still open is better than none.
    current[device] = all.values.first { $0.peer == session.peer && $0.device == session.device && $0.isOpen }
  }

  /// Ends the sessions with devices that `list`, the newest of its account, does not have any more.
  func revoke(after list: SignedDeviceList) {
    for session in all.values where session.peer == list.list.account {
      if list.list.device(session.device)?.link != session.link.remoteKey { session.close(.done) }
    }
  }

  /// Ends every session, or every one with an account.
  func close(_ reason: Close.Reason, with account: Account? = nil) {
    for session in all.values where account == nil || session.peer == account { session.close(reason) }
  }
}
