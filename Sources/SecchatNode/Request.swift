/// What a program may ask of a node, in this process or over the control socket. Each is answered by events and then
/// an exit status.
public enum Request: Codable, Equatable, Sendable {
  /// `status`.
  case status
  /// `registered`. `user` is `NAME@HOST[:PORT]`; `registryKey` is the key's text, or nil where it is pinned already.
  /// A registry that is not: `registry-key`, then 4.
  case register(user: String, registryKey: String?)
  /// `online`: clears the logged-out state and goes online to stay.
  case login
  /// Ends the session at the registry and with all peers; network requests end with 7 until `login`.
  case logout
  /// `peer`, one for each user who is online.
  case list
  /// `peer`; with `key-change` and 4 where the registry's answer is not what is pinned.
  case lookup(user: String)
  /// `sent`. `id` is 32 hexadecimal digits, chosen by the asker so that asking again cannot send twice; `text` has 1 to
  /// 32,768 bytes; `timeout` is in seconds, 0.001 to 86,400. A message that does not come to the state `wait` in that time
  /// is kept and goes out by itself: `sent` with the state that it has, then 6. `expires` is in seconds; nil for what the
  /// conversation has by default, 0 for never.
  case chat(
    user: String, id: String, text: String, timeout: Double, wait: DeliveryState = .delivered,
    expires: UInt32? = nil)
  /// `message`, with its `state`, one for each message that is not confirmed.
  case outbox
  /// A person has seen these messages of a user (ids of 32 hexadecimal digits): their sender is told, unless the profile
  /// says no.
  case seen(user: String, ids: [String])
  /// `message`, oldest first: the past with a user, or with all. `search` finds text without regard to case and accents;
  /// `since` is in Unix seconds; `limit` takes the newest so many.
  case history(user: String?, search: String?, since: Double?, limit: Int?)
  /// Destroys the past with a user, so that nobody can read it; what waits to be delivered still is.
  case deleteHistory(user: String)
  /// Messages to a user are forgotten by both sides after so many seconds, unless another time is named; 0: never.
  case expire(user: String, seconds: UInt32)
  /// Takes a message back that has not left; 1 where there is none of that id, or it may have left.
  case cancel(id: String)
  /// `offer`, `progress`, `done`, for each path. Paths are absolute; `limitRate` is in bytes a second; `checksum` adds a
  /// BLAKE2b digest for the receiver to check. What was cut short goes on; what cannot go now is kept (`offer` with the
  /// state `queued`, then 6), and goes out by itself from a node that stays.
  case send(user: String, paths: [String], limitRate: UInt64?, checksum: Bool)
  /// `safety-number`; with a number (60 digits, spaces allowed): marks the peer verified where it is the right one, else ends with 4.
  case verify(user: String, number: String?)
  /// `trusted`: takes the changed identity key whose fingerprint this is, as `key-change` told it.
  case trust(user: String, fingerprint: String)
  /// Every event that happens from now on (`message`, `file`, `offered`, `presence`, `key-change`, `online`, `offline`,
  /// `error`), until the asker goes.
  case subscribe
  /// `transfer`, one for each that is not over.
  case transfers
  /// Pauses a transfer, lets it go on, or ends it. `id` is as `transfer` told it, or a beginning of it that only it has.
  case transfer(id: String, action: TransferAction)
  /// Accepts or refuses what `offered` named.
  case answer(id: String, accept: Bool)
  /// Names of known peers, as `peer` events, from the pins alone: for completion.
  case contacts
}

/// What has become of a message.
public enum DeliveryState: String, Codable, Sendable, CaseIterable {
  /// It is kept here, and nothing of it has left.
  case queued
  /// It has left, and is not confirmed.
  case sent
  /// The other side has it on disk.
  case delivered
  /// A person there has seen it.
  case read
}

/// What may be done with a transfer.
public enum TransferAction: String, Codable, Equatable, Sendable, CaseIterable {
  /// Stops it for now; what has come stays.
  case pause
  /// Lets it go on.
  case resume
  /// Ends it for good.
  case cancel
}
