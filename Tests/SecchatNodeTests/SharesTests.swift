import SecchatCore
import SecchatCrypto
import SecchatNet
import Testing

@testable import SecchatNode

/// What is remembered or allowed for each of many, so that none takes it from the others.
@Suite struct SharesTests {
  private func address(_ text: String) throws -> SocketAddress.RateKey {
    try #require(SocketAddress(text)).rateKey
  }

  private func account(_ number: Int) throws -> Account {
    Account(name: try #require(UserName("user\(number)")), registry: try LinkKeyPair.random().publicKey)
  }

  @Test func oneHostsStrangersLeaveRoomForOthers() throws {
    var strangers = StrangerAllowance()
    let now = Instant.now
    func asks(_ text: String, at time: Instant) throws -> Bool {
      let isAllowed = strangers.begin(from: try address(text), at: time)
      if isAllowed { strangers.end() }
      return isAllowed
    }
    for _ in 0..<30 { #expect(try asks("192.0.2.1:1000", at: now)) }
    for port in 1...100 { #expect(try !asks("192.0.2.1:\(port)", at: now)) }
    #expect(try asks("192.0.2.2:1000", at: now))
    // A /64 counts as one.
    for n in 1...6 { #expect(try asks("[2001:db8::\(n)]:1", at: now)) }
    #expect(try !asks("[2001:db8::ffff]:1", at: now))
    #expect(try asks("[2001:db8:0:1::1]:1", at: now))
    // All together have a bound too, and a minute later everybody has a new share.
    let more = try (1...100).count { try asks("198.51.100.\($0):1", at: now) }
    #expect(more == 60 - 38)
    #expect(try asks("192.0.2.1:1000", at: now + 60_000))
  }

  @Test func whatNothingOpensHasItsTime() {
    var allowance = UnopenedAllowance()
    let now = Instant.now
    for second in 0..<UnopenedAllowance.atMost {
      #expect(allowance.isLeft(at: now))
      allowance.spend(at: now + second)
    }
    #expect(!allowance.isLeft(at: now + 59_999))
    #expect(allowance.isLeft(at: now + 60_000))
    #expect(allowance.isLeft(at: now + 60_001))
  }

  @Test func nobodyPushesOutTheOffersOfOthers() throws {
    var recent = RecentOffers()
    func isNew(_ id: MessageID, from account: Account) -> Bool { recent.insert(id, from: account) }
    let (bob, mallory) = (try account(1), try account(2))
    let id: MessageID = Random.bytes()
    #expect(isNew(id, from: bob))
    let flood: [MessageID] = (0..<20_000).map { _ in Random.bytes() }
    for other in flood { #expect(isNew(other, from: mallory)) }
    #expect(recent.contains(id, from: bob))
    #expect(!isNew(id, from: bob))
    // Of the flood only the end is remembered.
    #expect(flood.count { recent.contains($0, from: mallory) } == RecentOffers.perAccount)
    #expect(!isNew(flood[19_999], from: mallory))
    #expect(isNew(id, from: mallory))
  }

  @Test func whoIsSilentForLongestIsForgotten() throws {
    var recent = RecentOffers()
    func isNew(_ id: MessageID, from account: Account) -> Bool { recent.insert(id, from: account) }
    let registry = try LinkKeyPair.random().publicKey
    let accounts = try (0..<RecentOffers.accounts + 1).map {
      Account(name: try #require(UserName("user\($0)")), registry: registry)
    }
    let id: MessageID = Random.bytes()
    for account in accounts.dropLast() { #expect(isNew(id, from: account)) }
    #expect(!isNew(id, from: accounts[0]))
    #expect(isNew(id, from: accounts[RecentOffers.accounts]))
    #expect(recent.contains(id, from: accounts[0]))
    #expect(!recent.contains(id, from: accounts[1]))
    #expect(recent.contains(id, from: accounts[2]))
  }
}
