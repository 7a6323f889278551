import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

@Suite struct PrekeyKeeperTests {
  /// A signed prekey begins sessions until it expires, whether or not it has been deleted by then; and then it is.
  @Test @LoopActor func aSignedPrekeyHasItsTime() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = try ProfileFolder.create(folder.path + "/bob")
    let secret = try SecretIdentity.generate(now: 1)
    let store = try ProfileStore(home, secret)
    let keeper = try await PrekeyKeeper(store, secret)
    let first = try await keeper.current(now: 1_000)
    #expect(first.expires > 1_000)
    let ephemeral = try AgreementPrivateKey<InitiationPurpose>.random().publicKey
    let initiation = Initiation(ephemeral: ephemeral, signed: first.id, oneTime: nil)
    #expect(keeper.secrets(for: initiation, handed: nil, now: first.expires - 1) != nil)
    #expect(keeper.secrets(for: initiation, handed: nil, now: first.expires) == nil)
    let second = try await keeper.current(now: first.expires)
    #expect(second.id != first.id)
    #expect(!keeper.has(signed: first.id))
    let again = try await PrekeyKeeper(store, secret)
    #expect(!again.has(signed: first.id) && again.has(signed: second.id))
    await store.close()
  }
}
