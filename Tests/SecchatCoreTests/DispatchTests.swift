import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Which messages count as confirmed, whatever the order of the answers.
@Suite struct DispatchTests {
  /// So many messages on their way.
  private func underWay(_ count: Int) throws -> (dispatch: Dispatch, ids: [MessageID]) {
    var (alice, bob) = try Writer.pair()
    try alice.begin(with: bob)
    try bob.read(alice.write(), from: alice)
    var dispatch = Dispatch()
    var ids: [MessageID] = []
    for number in 0..<count {
      let message = Message(
        id: must(MessageID([UInt8](repeating: UInt8(number), count: 16))), sent: 1, body: .text("x"))
      dispatch.send(message.id, try alice.correspondence.seal(message))
      ids.append(message.id)
    }
    return (dispatch, ids)
  }

  @Test func `messages are confirmed in their order`() throws {
    var (dispatch, ids) = try underWay(4)
    func confirm(_ index: Int) -> [MessageID] { dispatch.acknowledge(ids[index]).map(\.id) }
    #expect([confirm(1), confirm(0), confirm(0), confirm(2)] == [[], [ids[0], ids[1]], [], [ids[2]]])
    #expect(dispatch.settle() == nil && !dispatch.isIdle)
    #expect(confirm(3) == [ids[3]])
    #expect(dispatch.settle() == nil && dispatch.isIdle)
  }

  /// The receiver may have it from another link; the refused one is to be sent again before it counts.
  @Test func `what is confirmed after a refused one is sent again with that one`() throws {
    var (dispatch, ids) = try underWay(4)
    func confirm(_ index: Int) -> [MessageID] { dispatch.acknowledge(ids[index]).map(\.id) }
    func refuse(_ index: Int) -> Bool { dispatch.refuse(ids[index], .outOfTurn) }
    #expect(confirm(0) == [ids[0]])
    #expect([refuse(1), refuse(1)] == [true, false])
    #expect([confirm(1), confirm(2)] == [[], []])
    #expect(!dispatch.isOpen && dispatch.settle() == nil)
    #expect(refuse(3))
    #expect(dispatch.settle()?.id == ids[1])
    #expect(dispatch.isOpen && dispatch.isIdle && confirm(2) == [])
  }
}
