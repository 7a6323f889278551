internal import Glibc
internal import SecchatCore

/// What the operator may choose. Times are in milliseconds.
///
/// The rates are wide: an office or a test behind one address must not notice them; what they stop is a flood.
package struct RegistryConfiguration: Sendable {
  /// How often a session should send HEARTBEAT.
  package var heartbeat = 30_000
  /// A session ends when no HEARTBEAT comes for so long: two may be lost.
  package var life = 90_000
  /// A link without a session is closed after this time.
  package var greeting = 30_000
  /// A handshake must be complete in this time.
  package var handshakeTime = SecchatCore.Limits.handshakeTime
  /// A link is cut that leaves answers unread for this time.
  package var writePatience = 20_000

  /// REGISTER, for each address: a classroom in an hour.
  package var signups = Rate(100, per: 3_600_000)
  /// REGISTER of what is registered already, for each address: so many are not counted as sign-ups.
  package var repeats = Rate(20, per: 3_600_000)
  /// New connections, for each address: a hundred a second take 2 % of a core.
  package var handshakes = Rate(6_000, per: 60_000)
  /// LOOKUP, LIST and WATCH, for each account; one that names many counts as several.
  package var lookups = Rate(6_000, per: 60_000)
  /// LOGIN, for each account: a script with a command twenty times a second.
  package var logins = Rate(1_200, per: 60_000)
  /// LOGINs that fail, for each address: honest programs have none, guessers of names soon no more.
  package var failedLogins = Rate(600, per: 60_000)

  /// PUBLISH, for each account: sixteen devices that report each used prekey at once.
  package var publishes = Rate(1_000, per: 3_600_000)
  /// One-time prekeys handed out in an hour: of one device as many as the other members of a full group may want at once,
  /// so that nobody busy notices; its owner then brings new ones no more often than every 80 minutes. To one account few:
  /// after the first, each takes a conversation that failed.
  package var prekeys = PrekeyLimits(perDevice: 60, perRequester: 6)
  /// One-time prekeys handed to one account, of whomever: it is in a dozen full groups.
  package var prekeysTaken = Rate(600, per: 3_600_000)
  /// An owner is told when fewer one-time prekeys than this are left.
  package var lowStock = 20
  /// How often old prekeys are forgotten.
  package var forgetting = 600_000
  /// Unix seconds, for what must last beyond a restart.
  package var clock: @Sendable () -> UInt64 = { UInt64(max(0, time(nil))) }

  /// Connections in all; the program lowers it to what the system allows.
  package var connections = 16_000
  /// Connections of one address.
  package var connectionsPerAddress = 4_000
  /// Handshakes under way, each of up to `Registry.inputCapacity` of memory …
  package var halfOpen = 2_048
  /// … and of one address.
  package var halfOpenPerAddress = 1_024

  /// Sessions of one account, with port 0 or without: sixteen devices online, and as many commands.
  package var sessionsPerAccount = 32
  /// Names watched by the sessions of one account together …
  package var watchesPerAccount = 8_000
  /// … and of all; about 100 bytes each. Above three quarters of them, shares count.
  package var watches = 2_000_000
  /// A name's changes are told this far apart.
  package var presenceInterval = 1_000

  /// How often, at most, the log tells what was refused.
  package var summary = 60_000

  /// Accounts kept in memory so that look-ups do not read the disk; about 1 KB each.
  package var cachedAccounts = 20_000
  /// So many requests in a row may be refused to a link without a session; one more closes it.
  package var refusals = 16

  package init() {}
}
