import SecchatNode
import Synchronization
import Testing

@testable import secchat

/// An answer never goes to another offer than the one its reader saw.
@Suite struct OffersTests {
  /// Offers, and the clock that they go by.
  private final class Desk: Sendable {
    private let time: Clock
    let offers: Offers

    private final class Clock: Sendable {
      let now = Mutex(1_000.0)
    }

    init() {
      let time = Clock()
      self.time = time
      offers = Offers(now: { time.now.withLock { $0 } })
    }

    func pass(_ seconds: Double) { time.now.withLock { $0 += seconds } }

    func offer(_ id: String, from user: String) {
      offers.add(.init(id: id, from: user, name: "f", items: 1, bytes: 1))
    }
  }

  @Test func theOnlyOneNeedsNoName() throws {
    let desk = Desk()
    desk.offer("a1", from: "bob")
    #expect(try desk.offers.find(nil) == "a1")
  }

  @Test func oneThatCameMeanwhileIsNotTaken() throws {
    let desk = Desk()
    desk.offer("a1", from: "bob")
    desk.offer("b2", from: "mallory")
    #expect(throws: NodeError.self) { try desk.offers.find(nil) }
    #expect(try desk.offers.find("bob") == "a1")
    #expect(try desk.offers.find("Mallory") == "b2")
    desk.offers.remove("b2")
    #expect(try desk.offers.find(nil) == "a1")
  }

  /// What lapses while somebody types does not make way for another.
  @Test func oneThatTookItsPlaceIsNotTaken() throws {
    let desk = Desk()
    desk.offer("a1", from: "bob")
    desk.pass(Offers.lifetime - 1)
    desk.offer("b2", from: "bob")
    desk.pass(2)
    #expect(desk.offers.ids == ["b2"])
    #expect(throws: NodeError.self) { try desk.offers.find(nil) }
    #expect(throws: NodeError.self) { try desk.offers.find("bob") }
    #expect(throws: NodeError.self) { try desk.offers.find("a1") }
    #expect(try desk.offers.find("b2") == "b2")
    desk.pass(Offers.echo)
    desk.offer("c3", from: "carol")
    desk.offers.remove("c3")
    #expect(try desk.offers.find(nil) == "b2")
  }

  @Test func whatHasLapsedIsGone() {
    let desk = Desk()
    desk.offer("a1", from: "bob")
    desk.pass(Offers.lifetime)
    #expect(desk.offers.ids.isEmpty)
    #expect(throws: NodeError.self) { try desk.offers.find(nil) }
  }

  /// A user may have a name that reads like the digits of another's offer.
  @Test func aNameThatIsAlsoAnIdIsNeither() {
    let desk = Desk()
    desk.offer("abcdef12", from: "bob")
    desk.offer("99", from: "abcdef")
    #expect(throws: NodeError.self) { try desk.offers.find("abcdef") }
    #expect(throws: Never.self) { try desk.offers.find("abcdef1") }
  }

  @Test func strangersPushNobodyOut() throws {
    let desk = Desk()
    desk.offer("b0", from: "bob")
    for number in 0..<300 { desk.offer("m\(number)", from: "mallory") }
    desk.offer("c0", from: "carol")
    #expect(try desk.offers.find("bob") == "b0")
    #expect(try desk.offers.find("carol") == "c0")
    for number in 0..<300 { desk.offer("s\(number)", from: "stranger\(number)") }
    #expect(try desk.offers.find("bob") == "b0")
    #expect(desk.offers.ids.count == 256)
  }
}
