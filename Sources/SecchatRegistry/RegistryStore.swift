package import SecchatCore

/// What a registry keeps of a user: the signed device list, which names the account, its identity key and its devices.
/// Shared by all who hold it: there are many, and it is large.
package final class StoredAccount: Sendable {
  package let list: SignedDeviceList

  package init(_ list: SignedDeviceList) { self.list = list }

  package var name: UserName { list.list.account.name }
  package var identity: IdentityPublicKey { list.list.identity }
  package var version: UInt64 { list.list.version }
}

extension StoredAccount: Equatable {
  package static func == (left: StoredAccount, right: StoredAccount) -> Bool { left.list == right.list }
}

/// What came of a claim.
package enum ClaimOutcome: Equatable, Sendable {
  /// The name was free and is the claimant's now.
  case claimed
  /// It was the claimant's before, with the same list. Nothing has changed.
  case already
  /// It was the claimant's before; this list is newer and has replaced the old one.
  case updated
  /// It was the claimant's before, with a newer list or another one of the same version. Nothing has changed.
  case outdated
  /// It belongs to another identity key. Nothing has changed.
  case taken
}

/// Why the store could not do its part.
package enum StoreError: Error, Equatable, Sendable {
  /// What it holds is not what was put in, or cannot be read.
  case damaged
  /// A newer program has written it.
  case newer
  /// It belongs to another program.
  case foreign
  /// No room is left.
  case full
  /// It cannot be reached or used now; the text says why, in words of our own.
  case unavailable(String)
}

/// Where accounts and prekeys are kept. Every implementation passes the same conformance tests.
package protocol RegistryStore: Sendable {
  /// The account of that name; nil where nobody has it. Checked: its list carries a good signature.
  func account(named name: UserName) async throws(StoreError) -> StoredAccount?

  /// Gives the name on `account` to its identity key, unless it belongs to another. Of any number of claims at once
  /// one wins. What is answered has been written durably before.
  /// The prekeys of devices that a newer list does not have, or has with another signing key, go with the old one.
  func claim(_ account: StoredAccount) async throws(StoreError) -> ClaimOutcome

  /// Takes what a device publishes, durably; `now` in Unix seconds.
  func publish(
    _ message: Publish, of owner: PrekeyOwner, now: UInt64
  ) async throws(StoreError) -> PublishOutcome

  /// Hands out prekeys. A one-time prekey goes to one requester, ever, whatever runs at once and whenever the power goes:
  /// that it is handed out has been written durably before this returns.
  func prekeys(for order: PrekeyOrder, now: UInt64) async throws(StoreError) -> PrekeyOutcome

  /// Forgets handed-out prekeys that are older than `PrekeyMemory` says, some of them.
  ///
  /// - Returns: whether there may be more.
  func forgetPrekeys(now: UInt64) async throws(StoreError) -> Bool

  /// Finishes what was begun and lets the storage go.
  func close() async
}
