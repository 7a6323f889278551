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
  /// 32,768 bytes; `timeout` is in seconds, 0.001 to 86,400.
  case chat(user: String, id: String, text: String, timeout: Double)
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

/// What may be done with a transfer.
public enum TransferAction: String, Codable, Equatable, Sendable, CaseIterable {
  /// Stops it for now; what has come stays.
  case pause
  /// Lets it go on.
  case resume
  /// Ends it for good.
  case cancel
}
