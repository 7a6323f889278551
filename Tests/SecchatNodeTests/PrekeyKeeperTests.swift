import SecchatCore
import SecchatCrypto
import SecchatNet
import SecchatSQLite
import TestSupport
import Testing

@testable import SecchatNode

@Suite struct PrekeyKeeperTests {
  /// Bob's profile.
  @LoopActor private struct Profile {
    private let folder: TemporaryFolder
    private let secret: SecretIdentity
    let store: ProfileStore

    init() throws {
      folder = try TemporaryFolder(inMemory: true)
      secret = try SecretIdentity.generate(now: 1)
      store = try ProfileStore(try ProfileFolder.create(folder.path + "/bob"), secret)
    }

    /// Its keeper, as after a start.
    func keeper() async throws -> PrekeyKeeper { try await PrekeyKeeper(store, secret) }

    func commit(_ change: MessageChange) async throws {
      let done = OneShot<Result<Void, NodeError>>()
      store.commit(change) { result in done.fulfil(result.map { _ in () }) }
      try await done.wait().get()
    }

    /// The ids of all prekeys on disk.
    func rows() async throws -> [UInt32] {
      try await store.read { (database) throws(SQLiteError) in
        try database.query("SELECT id FROM prekeys ORDER BY id") { (row) throws(SQLiteError) in
          try row.integer(0, as: UInt32.self)
        }
      }
    }
  }

  private func initiation(_ signed: UInt32, _ oneTime: UInt32? = nil) throws -> Initiation {
    let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random().publicKey
    return Initiation(ephemeral: ephemeral, signed: signed, oneTime: oneTime)
  }

  private static let week: UInt64 = 7 * 86_400

  /// A signed prekey begins sessions until it expires, whether or not it has been deleted by then; and then it is.
  @Test @LoopActor func aSignedPrekeyHasItsTime() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let first = try await keeper.current(now: 1_000)
    #expect(first.expires > 1_000)
    let initiation = try initiation(first.id)
    #expect(keeper.secrets(for: initiation, handed: nil, now: first.expires - 1) != nil)
    #expect(keeper.secrets(for: initiation, handed: nil, now: first.expires) == nil)
    let second = try await keeper.current(now: first.expires)
    #expect(second.id != first.id)
    #expect(!keeper.has(signed: first.id))
    let again = try await profile.keeper()
    #expect(!again.has(signed: first.id) && again.has(signed: second.id))
    await profile.store.close()
  }

  /// After a week another one is handed out; whoever has the old one begins sessions with it for the rest of its time.
  @Test @LoopActor func aSignedPrekeyIsReplacedEveryWeek() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let first = try await keeper.current(now: 1_000)
    #expect(try await keeper.current(now: 1_000 + Self.week - 1).id == first.id)
    let second = try await keeper.current(now: 1_000 + Self.week)
    #expect(second.id != first.id && second.expires > first.expires)
    #expect(try await keeper.current(now: 1_000 + Self.week).id == second.id)
    for one in [keeper, try await profile.keeper()] {
      for record in [first, second] {
        #expect(one.secrets(for: try initiation(record.id), handed: nil, now: first.expires - 1) != nil)
      }
    }
    await profile.store.close()
  }

  /// A first message without a one-time prekey that comes again is not answered, not even by a node that was started
  /// anew; another one is.
  @Test @LoopActor func anInitiationAloneIsAnsweredOnce() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let signed = try await keeper.current(now: 1)
    let (replayed, other) = (try initiation(signed.id), try initiation(signed.id))
    #expect(keeper.secrets(for: replayed, handed: nil, now: 1) != nil)
    var change = MessageChange()
    _ = keeper.use(replayed, in: &change)
    // It may come again before the first one is on disk.
    #expect(keeper.secrets(for: replayed, handed: nil, now: 1) == nil)
    try await profile.commit(change)
    for one in [keeper, try await profile.keeper()] {
      #expect(one.secrets(for: replayed, handed: nil, now: 1) == nil)
      #expect(one.secrets(for: other, handed: nil, now: 1) != nil)
      #expect(try await one.current(now: 1).id == signed.id)
    }
    await profile.store.close()
  }

  /// The secret of a one-time prekey is gone with its use: from memory at once, from the disk with the message.
  @Test @LoopActor func aOneTimePrekeyIsDeletedOnUse() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let signed = try await keeper.current(now: 1)
    let keys = try await keeper.make(2, anew: true, now: 1).map(\.id)
    let first = try initiation(signed.id, keys[0])
    #expect(keeper.secrets(for: first, handed: nil, now: 1)?.oneTime != nil)
    var change = MessageChange()
    _ = keeper.use(first, in: &change)
    #expect(keeper.secrets(for: first, handed: nil, now: 1) == nil)
    try await profile.commit(change)
    #expect(try await profile.rows() == [signed.id, keys[1]].sorted())
    for one in [keeper, try await profile.keeper()] {
      // Whoever names it: another first message with it finds nothing either.
      for initiation in [first, try initiation(signed.id, keys[0])] {
        #expect(one.secrets(for: initiation, handed: nil, now: 1) == nil)
      }
      let other = try initiation(signed.id, keys[1])
      #expect(one.secrets(for: other, handed: nil, now: 1)?.oneTime != nil)
    }
    await profile.store.close()
  }

  /// A one-time prekey that was handed out over a link is for that link, and never on disk.
  @Test @LoopActor func whatIsHandedOutOverALinkIsNotKept() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let account = Account(name: try #require(UserName("bob")), registry: try LinkKeyPair.random().publicKey)
    let (offer, record) = try await keeper.offer(as: account, now: 1)
    let initiation = try initiation(offer.signed.id, record.id)
    #expect(keeper.secrets(for: initiation, handed: record, now: 1)?.oneTime != nil)
    #expect(keeper.secrets(for: initiation, handed: nil, now: 1) == nil)
    let another = try await keeper.offer(as: account, now: 1).oneTime
    #expect(keeper.secrets(for: initiation, handed: another, now: 1) == nil)
    #expect(try await profile.rows() == [offer.signed.id])
    await profile.store.close()
  }

  /// However often a registry has none left: the newest thousand are kept.
  @Test @LoopActor func soManyAreKept() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    var newest: [UInt32] = []
    for round in 1...12 {
      let fresh = try await keeper.make(100, anew: round % 3 == 0, now: UInt64(round)).map(\.id)
      if round > 2 { newest += fresh }
    }
    #expect(try await profile.rows() == newest.sorted())
    await profile.store.close()
  }

  /// What was used is to be reported until the registry has it.
  @Test @LoopActor func whatWasUsedIsReportedOnce() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let signed = try await keeper.current(now: 1)
    let keys = try await keeper.make(101, anew: true, now: 1).map(\.id)
    var change = MessageChange()
    _ = keeper.use(try initiation(signed.id), in: &change)
    #expect(keeper.toReport.isEmpty)
    for key in keys { _ = keeper.use(try initiation(signed.id, key), in: &change) }
    let first = keeper.toReport
    // As many as there may be in a PUBLISH.
    #expect(first.count == 100 && first.isSubset(of: keys))
    #expect(keeper.toReport.count == 100)
    keeper.reported(first)
    #expect(keeper.toReport == Set(keys).subtracting(first))
    keeper.reported(keeper.toReport)
    #expect(keeper.toReport.isEmpty)
    await profile.store.close()
  }

  /// What a change that was not written has used is there again, and nothing else that was used, or made, meanwhile.
  @Test @LoopActor func whatWasNotUsedAfterAllIsGivenBack() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let signed = try await keeper.current(now: 1)
    let keys = try await keeper.make(2, anew: true, now: 1).map(\.id)
    let initiations = try (keys + [nil, nil]).map { try initiation(signed.id, $0) }
    var (lost, kept) = (MessageChange(), MessageChange())
    let used = [keeper.use(initiations[0], in: &lost), keeper.use(initiations[2], in: &lost)]
    _ = keeper.use(initiations[1], in: &kept)
    _ = keeper.use(initiations[3], in: &kept)
    let later = try await keeper.make(1, anew: false, now: 1).map(\.id)
    for one in used { keeper.giveBack(try #require(one)) }
    func known(_ initiation: Initiation) -> Bool {
      keeper.secrets(for: initiation, handed: nil, now: 1) != nil
    }
    #expect(initiations.map(known) == [true, false, true, false])
    #expect(known(try initiation(signed.id, later[0])))
    #expect(keeper.toReport == [keys[1]])
    try await profile.commit(kept)
    #expect(try await profile.rows() == [signed.id, keys[0], later[0]].sorted())
    await profile.store.close()
  }

  /// First messages that are written together, each under a signed prekey of its own.
  @Test @LoopActor func underTwoSignedPrekeysAtOnce() async throws {
    let profile = try Profile()
    let keeper = try await profile.keeper()
    let first = try await keeper.current(now: 1)
    let second = try await keeper.current(now: 1 + Self.week)
    let initiations = try [first, second, first].map { try initiation($0.id) }
    var change = MessageChange()
    for one in initiations { _ = keeper.use(one, in: &change) }
    try await profile.commit(change)
    let again = try await profile.keeper()
    for one in initiations { #expect(again.secrets(for: one, handed: nil, now: 1) == nil) }
    await profile.store.close()
  }
}
