import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct PrologueTests {
  @Test func `a registry's is these bytes`() {
    #expect(
      Prologue.registry == [0, 7] + Array("secchat".utf8) + [1] + [0, 8] + Array("registry".utf8)
        + [0, 0] + [0, 0, 0, 0])
  }

  @Test func `a peer's is these bytes`() {
    let account = Users.registry.raw.array + [3] + Array("bob".utf8)
    #expect(
      Prologue.peer(Users.bobAccount, device: 0x0102_0304)
        == [0, 7] + Array("secchat".utf8) + [1] + [0, 4] + Array("peer".utf8) + [0, 36] + account + [
          1, 2, 3, 4,
        ])
  }

  @Test func `purpose, name, registry and device each change it`() {
    let elsewhere = Account(name: Users.bobAccount.name, registry: Users.alice.link.publicKey)
    let all = [
      Prologue.registry, Prologue.peer(Users.bobAccount, device: 1),
      Prologue.peer(Users.bobAccount, device: 2),
      Prologue.peer(Users.aliceAccount, device: 1), Prologue.peer(elsewhere, device: 1),
    ]
    #expect(Set(all).count == all.count)
  }

  @Test func `a registration is bound to link, account and list`() {
    let base = Register.statement(handshakeHash: Users.bytes(1), account: Users.aliceAccount, list: [1, 2])
    #expect(base == Users.bytes(1) + Users.aliceAccount.encoded + [0, 2, 1, 2])
    let others = [
      Register.statement(handshakeHash: Users.bytes(2), account: Users.aliceAccount, list: [1, 2]),
      Register.statement(handshakeHash: Users.bytes(1), account: Users.bobAccount, list: [1, 2]),
      Register.statement(handshakeHash: Users.bytes(1), account: Users.aliceAccount, list: [1, 3]),
    ]
    #expect(!others.contains(base))
  }
}
