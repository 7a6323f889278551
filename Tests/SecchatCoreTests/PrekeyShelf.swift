import SecchatCore

/// What a registry has of one user's one-time prekeys. Who asks again gets the same, until its owner has reported it used
/// or the asker has named it as one that failed.
struct PrekeyShelf {
  private var stock: [OneTimePrekey] = []
  private var given: [Account: OneTimePrekey] = [:]
  private var used: Set<UInt32> = []

  /// Whether reports of use arrive, and whether there is one for who has none yet; nil: now and then.
  var isToldOfUse: Bool?
  var hasAny: Bool?

  /// How many are brought at a time.
  static let size = 4

  var isBare: Bool { stock.isEmpty }

  mutating func put(_ prekey: OneTimePrekey) { stock.append(prekey) }

  /// Its owner's word, on its way to the registry.
  mutating func note(used id: UInt32) { used.insert(id) }

  /// The one that was given to an asker last.
  func given(to asker: Account) -> UInt32? { given[asker]?.id }

  mutating func take(for asker: Account, failed: UInt32?, _ random: inout SplitMix) -> OneTimePrekey? {
    if isToldOfUse ?? Bool.random(using: &random) {
      given = given.filter { !used.contains($0.value.id) }
      used = []
    }
    if let again = given[asker], again.id != failed { return again }
    given[asker] = nil
    guard hasAny ?? Bool.random(using: &random), !stock.isEmpty else { return nil }
    given[asker] = stock.removeFirst()
    return given[asker]
  }
}
